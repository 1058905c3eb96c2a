"""The openai connector against a real server on loopback."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from pytest_llmeval.connectors.openai import OpenAI
from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest, Refused, Transient
from pytest_llmeval.core.exchange import RateLimits, Response
from pytest_llmeval.testing import (
    Reply,
    big,
    failing,
    hanging,
    limited,
    malformed,
    redirecting,
    refusing,
    serve,
)


@pytest.fixture(autouse=True)
def _clean(environment):
    environment({})


def told(body: object, status: int = 200, **headers: str):
    """A behaviour that replies with that body."""
    reply = Reply(status, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)
    return lambda _: reply


def choice(**values: object):
    return told({"choices": [values]})


def one(asks, question, *behaviours, **options):
    with serve(*behaviours) as server:
        return asks(OpenAI("small", server.url, **options), question(temperature=0))[0]


def test_importing_the_connector_imports_no_http_client():
    code = "import sys, pytest_llmeval.connectors.openai; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_body_holds_model_messages_and_parameters_and_no_key_unless_one_is_given(asks, question):
    with serve(answer="Paris") as server:
        (came,) = asks(OpenAI("small", server.url + "/"), question("Capital?", temperature=0, max_tokens=4))
    assert came == Response("Paris", "stop", input_tokens=1, output_tokens=1)
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.body == {
        "model": "small",
        "messages": [{"role": "user", "content": "Capital?"}],
        "temperature": 0,
        "max_tokens": 4,
    }
    assert "authorization" not in request.headers


def test_any_text_can_be_sent_and_comes_back_as_it_is(asks, question):
    text = "\x00 \ud800 é \u2028 \x1b[31m"
    with serve(answer=lambda received: received.prompt) as server:
        (came,) = asks(OpenAI("small", server.url), question(text))
    assert came.text == text


# What an answer is


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"message": {"content": None}, "finish_reason": "stop"}, Response("")),
        ({"message": {"content": None, "refusal": "I will not."}}, Response("I will not.")),
        ({"message": {"content": ""}, "finish_reason": "length"}, Response("", "length")),
        ({"message": {"content": "a"}, "finish_reason": "eos_token"}, Response("a", "eos_token")),
        ({"message": {"content": "a"}, "finish_reason": None}, Response("a")),
        ({"message": {"content": "7", "reasoning_content": "3 + 4"}}, Response("7", reasoning="3 + 4")),
        ({"message": {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}}, Response("ab")),
        ({"text": "old"}, Response("old")),
        ({}, Response("")),
    ],
)
def test_a_reply_with_choices_is_an_answer_whatever_else_is_missing(asks, question, values, expected):
    assert one(asks, question, choice(**values)) == expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}, (3, 4)),
        ({"total_tokens": 7}, (None, 7)),
        ({"prompt_tokens": 3, "total_tokens": 7}, (3, 4)),
        ({"prompt_tokens": "3", "completion_tokens": -1}, (None, None)),
        (None, (None, None)),
    ],
)
def test_tokens_are_counts_or_unknown_and_a_bare_total_stands_as_output(asks, question, usage, expected):
    body = {"choices": [{"message": {"content": "a"}}], "usage": usage}
    came = one(asks, question, told(body))
    assert (came.input_tokens, came.output_tokens) == expected


def test_a_service_s_own_word_on_its_limits_comes_with_the_answer(asks, question):
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1m2s",
        "x-ratelimit-reset-tokens": "120ms",
        "x-ratelimit-limit-tokens": "many",
    }
    came = one(asks, question, told({"choices": [{}]}, **headers))
    assert came.limits == RateLimits(60, 59, 62.0, None, None, 0.12)


# What an error is


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("html", "no JSON but a page titled 'Gateway'"),
        ("cut", "the connection ended early"),
        ("dropped", "the connection ended early"),
        ("json", "no JSON"),
        ("list", "no object"),
        ("no_choices", "no choices"),
        ("encoding", "its compression is broken"),
    ],
)
def test_a_200_that_is_no_answer_is_malformed_and_worth_another_attempt(asks, question, fault, words):
    came = one(asks, question, malformed(fault))
    assert type(came) is Transient
    assert came.message.startswith("malformed reply from http://127.0.0.1:")
    assert words in came.message


def test_an_answer_whose_content_is_null_is_the_empty_text(asks, question):
    assert one(asks, question, malformed("null_content")).text == ""


@pytest.mark.parametrize("behaviour", [malformed("endless"), malformed("bomb"), big(8 << 20)])
def test_a_reply_past_the_cap_is_the_request_s_error(asks, question, behaviour):
    came = one(asks, question, behaviour)
    assert type(came) is InvalidRequest
    assert "is larger than 8 MiB" in came.message


def test_a_reply_under_the_cap_comes_whole(asks, question):
    assert len(one(asks, question, big(8_000_000)).text) == 8_000_000


def test_an_encoding_that_was_not_asked_for_is_not_decoded(asks, question):
    came = one(asks, question, told({"choices": [{}]}, **{"content-encoding": "gzip, gzip"}))
    assert type(came) is Transient
    assert "encoded as 'gzip, gzip'" in came.message


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"choices": ' + b"9" * 5000 + b"}"])
def test_json_that_python_cannot_read_is_malformed(asks, question, deep):
    came = one(asks, question, told(deep))
    assert type(came) is Transient
    assert "malformed reply" in came.message


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 529])
def test_a_busy_or_broken_service_is_worth_another_attempt(asks, question, status):
    came = one(asks, question, failing(status, "busy"))
    assert type(came) is Transient
    assert not came.limited
    assert f"{status} from http://127.0.0.1:" in came.message
    assert came.message.endswith('/v1 ("busy")')


@pytest.mark.parametrize(
    ("retry_after", "low", "high"),
    [(2, 2, 2), ("0.5", 0.5, 0.5), ("date", 0, 1.1), ("soon", None, None), ("-1", None, None)],
)
def test_a_429_says_how_long_to_wait_where_it_can_be_read(asks, question, retry_after, low, high):
    came = one(asks, question, limited(0.001, burst=0, retry_after=retry_after))
    assert type(came) is Transient
    assert came.limited
    assert came.retry_after is None if low is None else low <= came.retry_after <= high


def test_a_date_in_the_past_asks_for_no_wait(asks, question):
    came = one(asks, question, failing(429, headers={"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}))
    assert came.retry_after == 0.0


def test_milliseconds_are_the_more_precise_word(asks, question):
    came = one(asks, question, failing(503, headers={"retry-after-ms": "250", "retry-after": "1"}))
    assert came.retry_after == 0.25


@pytest.mark.parametrize("status", [400, 413, 422, 405])
def test_a_request_that_the_service_calls_invalid_is_not_retried(asks, question, status):
    came = one(asks, question, failing(status, "this prompt is too long", code="context_length_exceeded"))
    assert type(came) is InvalidRequest
    assert came.status == status
    assert '("this prompt is too long")' in came.message


@pytest.mark.parametrize(
    "behaviour",
    [
        refusing("status"),
        told({"error": {"message": "no", "code": "content_policy_violation"}}, 400),
        told({"error": {"message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, 400),
    ],
)
def test_a_filter_s_400_is_a_refusal(asks, question, behaviour):
    assert type(one(asks, question, behaviour)) is Refused


def test_a_completion_that_the_filter_ended_is_a_refused_answer(asks, question):
    came = one(asks, question, refusing())
    assert came.refused
    assert came.text == ""


@pytest.mark.parametrize(
    ("status", "message", "code", "hint"),
    [
        (401, "invalid api key", None, "no key was sent"),
        (403, "not for you", None, "no key was sent"),
        (404, "the model x does not exist", "model_not_found", "look at `model`"),
        (404, "Not Found", None, "look at `model` and `base_url`"),
        (400, "The model `x` does not exist", None, "look at `model`"),
        (402, "pay first", None, "the quota is exhausted"),
        (429, "You exceeded your current quota", "insufficient_quota", "the quota is exhausted"),
        (429, "Insufficient credits", None, "the quota is exhausted"),
        (400, "Unknown parameter: 'temprature'.", "unknown_parameter", "look at `parameters`"),
        (400, "Unrecognized request argument supplied: top", None, "look at `parameters`"),
    ],
)
def test_what_no_request_can_mend_stops_the_endpoint(asks, question, status, message, code, hint):
    came = one(asks, question, failing(status, message, code=code))
    assert type(came) is EndpointStopped
    assert f"{status} from http://127.0.0.1:" in came.message
    assert message in came.message
    assert hint in came.message


def test_a_quota_for_a_minute_is_a_rate(asks, question):
    came = one(asks, question, failing(429, "Quota exceeded for requests per minute; retry in 34 s"))
    assert type(came) is Transient
    assert came.limited


def test_a_redirect_is_named_and_not_followed(asks, question):
    with serve() as other, serve(redirecting(other.url + "?key=1")) as server:
        (came,) = asks(OpenAI("small", server.url), question())
    assert type(came) is EndpointStopped
    assert f"307 from {server.url}: a redirect to {other.url}, which is not followed" == came.message
    assert other.count == 0


@pytest.mark.parametrize(
    ("error", "kind", "limited"),
    [
        ({"message": "slow down", "code": 429}, Transient, True),
        ({"message": "slow down", "code": "rate_limit_exceeded"}, Transient, True),
        ({"message": "bad gateway", "code": 502}, Transient, False),
        ({"message": "who knows"}, Transient, False),
        ("plain words", Transient, False),
        ({"message": "no", "code": "401"}, EndpointStopped, None),
        ({"message": "no", "code": "invalid_api_key"}, EndpointStopped, None),
        ({"message": "no", "code": "insufficient_quota"}, EndpointStopped, None),
        ({"message": "no", "code": "model_not_found"}, EndpointStopped, None),
        ({"message": "no", "type": "invalid_request_error"}, InvalidRequest, None),
        ({"message": "no", "code": "content_filter"}, Refused, None),
    ],
)
def test_an_error_in_a_200_reply_is_classed_by_its_code_else_transient(asks, question, error, kind, limited):
    for body in ({"error": error}, {"choices": [{"error": error}]}):
        came = one(asks, question, told(body))
        assert type(came) is kind
        if limited is not None:
            assert came.limited is limited


def test_an_error_that_is_null_is_none(asks, question):
    assert one(asks, question, told({"error": None, "choices": [{"message": {"content": "a"}}]})).text == "a"


def test_what_a_service_says_is_shown_on_one_harmless_line(asks, question):
    came = one(asks, question, failing(400, "a\nb\x1b[31m" + "x" * 5000))
    assert "\n" not in came.message
    assert "\x1b" not in came.message
    assert len(came.message) < 500


def test_an_answer_later_than_the_timeout_is_a_timeout(asks, question):
    with serve(hanging()) as server:
        (came,) = asks(OpenAI("small", server.url), question(), timeout=0.2)
    # the socket's own limit and the scope around the call race: both are a timeout to the engine
    assert isinstance(came, TimeoutError) or (type(came) is Transient and "within its time" in came.message)


@pytest.mark.parametrize("parameters", [{"stream": True}, {"n": 2}, {"temperature": float("nan")}, {"x": {1, 2}}])
def test_parameters_that_cannot_be_meant_send_nothing(asks, question, parameters):
    with serve() as server:
        (came,) = asks(OpenAI("small", server.url), question(**parameters))
    assert type(came) is InvalidRequest
    assert came.message.startswith("parameters: ")
    assert server.count == 0


# Addresses, keys, headers


def test_a_refused_connection_is_told_apart(asks, question):
    with serve() as gone:
        pass
    (came,) = asks(OpenAI("small", gone.url), question())
    assert type(came) is Transient
    assert came.unreached
    assert came.message == f"no connection to {gone.url}: connection refused"


def test_an_unknown_host_is_told(asks, question):
    (came,) = asks(OpenAI("small", "http://no-such-host.invalid/v1"), question())
    assert type(came) is Transient
    assert came.unreached
    assert "unknown host" in came.message


def test_a_key_goes_with_the_address_that_names_it(asks, question, environment):
    environment({"MY_KEY": " secret-1 ", "OPENAI_API_KEY": "secret-2"})
    with serve(failing(401, "bad key")) as server:
        (came,) = asks(OpenAI("small", server.url, "${MY_KEY}"), question())
    assert server.requests[0].headers["authorization"] == "Bearer secret-1"
    assert came.message == f'401 from {server.url} ("bad key"); the key came from MY_KEY'


def test_openai_api_key_never_goes_to_an_address_that_a_file_names(asks, question, environment):
    with serve() as server:
        environment({"OPENAI_API_KEY": "secret-2", "OPENAI_BASE_URL": server.url})
        asks(OpenAI("small", server.url), question())
        asks(OpenAI("small", "${OPENAI_BASE_URL}"), question())
        asks(OpenAI("small"), question())
    assert [request.headers.get("authorization") for request in server.requests] == [None, None, "Bearer secret-2"]


def test_headers_are_sent_with_their_variables_read(asks, question, environment):
    environment({"TEAM": " blue\n"})
    with serve() as server:
        asks(OpenAI("small", server.url, headers={"X-Team": "${TEAM}", "X-Plain": "yes"}), question())
    assert (server.requests[0].headers["x-team"], server.requests[0].headers["x-plain"]) == ("blue", "yes")


def test_without_any_key_the_default_address_is_not_asked():
    assert OpenAI("small").missing() == (
        "set the environment variable OPENAI_API_KEY: https://api.openai.com/v1 answers nobody without a key"
    )


@pytest.mark.parametrize("value", ["", "   "])
def test_a_variable_that_is_set_but_empty_is_unset(environment, value):
    environment({"MY_KEY": value})
    assert OpenAI("small", "http://127.0.0.1:1", "${MY_KEY}").missing() == (
        "set the environment variable MY_KEY (`api_key` is `${MY_KEY}`)"
    )


def test_an_unset_variable_stops_the_endpoint_when_it_is_opened(asks, question):
    with pytest.raises(EndpointStopped, match="set the environment variable NOT_SET"):
        asks(OpenAI("small", "${NOT_SET}"), question())


@pytest.mark.parametrize("value", ["geheim-ü", "two\nlines", "a\x00b"])
def test_a_key_that_no_header_can_carry_stops_the_endpoint_unshown(monkeypatch, value):
    # a variable cannot hold NUL: the connector's view of the environment can
    monkeypatch.setattr("os.environ", {"MY_KEY": value})
    said = OpenAI("small", "http://127.0.0.1:1", "${MY_KEY}").missing()
    assert said == "no header can carry this key (it holds a control or is not ASCII); the key came from MY_KEY"


def test_a_header_that_no_request_can_carry_stops_the_endpoint_unshown(environment):
    environment({"TEAM": "geheim-ü"})
    said = OpenAI("small", "http://127.0.0.1:1", headers={"X-Team": "${TEAM}"}).missing()
    assert "x-team" in said
    assert "geheim" not in said


@pytest.mark.parametrize(
    "address", ["llm.example.com/v1", "ftp://llm.example.com", "http://", "http://[::1", "http://a:99999/"]
)
def test_an_address_that_is_none_is_a_fault_of_its_file_or_stops_the_endpoint(environment, address):
    with pytest.raises(ValueError, match=r"^base_url: .* is no http or https address$"):
        OpenAI("small", address)
    environment({"BASE": address})
    assert OpenAI("small", "${BASE}").missing().endswith("is no http or https address")


def test_a_query_and_a_password_in_the_address_are_used_and_not_shown(asks, question):
    with serve(failing(400, "no")) as server:
        address = server.url.replace("//", "//me:word@") + "?api-version=1"
        (came,) = asks(OpenAI("small", address), question())
    assert server.requests[0].path == "/v1/chat/completions?api-version=1"
    assert server.requests[0].headers["authorization"].startswith("Basic ")
    assert came.message == f'400 from {server.url} ("no")'
    assert "word" not in str(OpenAI("small", address).identity())
    assert set(OpenAI("small", address).secrets()) == {"word", "bWU6d29yZA=="}


def test_a_key_beside_a_user_in_the_address_stops_the_endpoint(environment):
    environment({"LLM_KEY": "geheim"})
    both = OpenAI("small", "http://me:word@127.0.0.1:1", api_key="${LLM_KEY}")
    assert "name but one" in both.missing()
    header = OpenAI("small", "http://me:word@127.0.0.1:1", headers={"Authorization": "Bearer ${LLM_KEY}"})
    assert "name but one" in header.missing()


def test_the_key_of_the_environment_does_not_go_beside_a_user_in_the_address(asks, question, environment):
    with serve() as server:
        environment({"OPENAI_API_KEY": "geheim", "OPENAI_BASE_URL": server.url.replace("//", "//me:word@")})
        asks(OpenAI("small"), question())
    assert server.requests[0].headers["authorization"] == "Basic bWU6d29yZA=="


def test_a_key_in_the_query_is_a_secret_and_its_name_stands_for_it_in_the_cache_key(environment):
    environment({"LLM_KEY": "geheim"})
    connector = OpenAI("small", "http://127.0.0.1:1/v1?key=${LLM_KEY}&version=1")
    assert set(connector.secrets()) == {"geheim"}
    assert connector.identity()["base_url"] == "http://127.0.0.1:1/v1?key=${LLM_KEY}&version=1"


def test_a_loopback_address_is_asked_directly_whatever_the_proxy_variables_hold(asks, question, environment):
    environment({"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "fe80::/10"})
    with serve(answer="here") as server:
        (came,) = asks(OpenAI("small", server.url.replace("127.0.0.1", "localhost")), question())
    assert came.text == "here"


def test_another_address_goes_through_the_proxy(asks, question, environment):
    with serve() as proxy:
        environment({"HTTP_PROXY": proxy.url.removesuffix("/v1")})
        (came,) = asks(OpenAI("small", "http://llm.example.invalid/v1"), question())
    assert came.text == "ok"
    assert proxy.requests[0].path == "http://llm.example.invalid/v1/chat/completions"


def test_a_proxy_variable_that_httpx_cannot_read_is_named(asks, question, environment):
    environment({"no_proxy": "localhost,fe80::/10", "http_proxy": "http://127.0.0.1:1"})
    with pytest.raises(EndpointStopped, match=r"no HTTP client can be made from no_proxy \(fe80::/10\)"):
        asks(OpenAI("small", "http://llm.example.invalid/v1"), question())


# What stands in the cache key


def test_a_slash_at_the_end_of_the_address_changes_nothing():
    assert OpenAI("m", "http://a/v1/").identity() == OpenAI("m", "http://a/v1").identity()


def test_headers_count_by_value_where_literal_and_by_name_where_from_the_environment(environment):
    def identity(**headers: str):
        return OpenAI("m", "http://a", headers=headers).identity()

    environment({"A": "1"})
    before = identity(x="${A}")
    environment({"A": "2"})
    assert identity(x="${A}") == before == identity(X="${A}")
    assert identity(x="${B}") != before
    assert identity(x="1") != identity(x="2")


def test_the_key_is_no_part_of_the_identity_and_the_address_is_as_it_resolves(environment):
    environment({"URL": "http://a/v1/", "K": "secret"})
    named = OpenAI("m", "${URL}", "${K}")
    assert named.identity() == OpenAI("m", "http://a/v1").identity()
    assert named.identity() != replace(named, model="n").identity()
    assert OpenAI("m", "${NOT_SET}/v1").identity()["base_url"] == "${NOT_SET}/v1"


def test_secrets_are_the_present_values_of_key_and_headers(environment):
    environment({"K": "one", "H": " two ", "OPENAI_API_KEY": "three", "E": ""})
    named = OpenAI("m", "http://a", "${K}", {"x": "Token ${H}", "y": "literal", "z": "${E}"})
    assert set(named.secrets()) == {"one", "two"}
    assert set(OpenAI("m").secrets()) == {"three"}
    assert set(OpenAI("m", "${NOT_SET}").secrets()) == set()
