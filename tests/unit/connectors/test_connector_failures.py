"""What httpx raises, and what it means."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.connectors._http.failures import failure
from pytest_llmeval.connectors._http.limits import rate_limits, retry_after
from pytest_llmeval.connectors._http.pool import is_loopback
from pytest_llmeval.connectors._http.reply import Reply
from pytest_llmeval.connectors._http.status import classify
from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest, RequestError, Transient
from pytest_llmeval.core.text import one_line


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (httpx.ConnectTimeout(""), Transient, "no connection to U within its time"),
        (httpx.PoolTimeout(""), Transient, "no free connection to U within its time"),
        (httpx.ReadTimeout(""), Transient, "nothing came from U within its time"),
        (httpx.WriteTimeout(""), Transient, "nothing came from U within its time"),
        (httpx.ReadError("reset"), Transient, "malformed reply from U: the connection ended early (reset)"),
        (httpx.LocalProtocolError("bad header"), InvalidRequest, "a request that cannot be sent to U: bad header"),
        (httpx.UnsupportedProtocol("x"), EndpointStopped, "U is no address that can be asked (x)"),
        (httpx.InvalidURL("x"), EndpointStopped, "U is no address that can be asked (x)"),
        (httpx.TooManyRedirects("x"), Transient, "no answer from U (TooManyRedirects: x)"),
    ],
)
def test_a_failure_is_classed(error, kind, words):
    came = failure(error, "U")
    assert type(came) is kind
    assert came.message == words
    assert not getattr(came, "unreached", False)


def test_what_a_proxy_says_names_the_variables(environment):
    environment({"HTTPS_PROXY": "http://user:word@proxy"})
    came = failure(httpx.ProxyError("403 Forbidden"), "U")
    assert came.unreached
    assert came.message == "no connection to U: the proxy says 403 Forbidden (proxies come from HTTPS_PROXY)"


def test_a_failure_to_connect_that_is_its_own_cause_ends():
    error = httpx.ConnectError("all attempts failed")
    group = ExceptionGroup("attempts", [OSError("network is unreachable"), error])
    error.__cause__ = group
    assert failure(error, "U").message == "no connection to U: all attempts failed"


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_a_loopback_host_is_told(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "example.com", "localhost.example.com", "10.0.0.1", "128.0.0.1"])
def test_others_are_not(host):
    assert not is_loopback(host)


@given(st.integers(300, 599), st.binary(max_size=200), st.text(max_size=20))
def test_any_reply_that_is_no_success_is_a_classed_error_on_one_harmless_line(status, body, header):
    came = classify(Reply(status, {"retry-after": header, "location": header}, body), "U", "no key")
    assert isinstance(came, RequestError)
    assert one_line(came.message) == came.message
    assert len(came.message) < 600


@given(st.floats(0, 1e6))
def test_seconds_are_read_as_they_are(seconds):
    assert retry_after({"retry-after": str(seconds)}) == seconds


@given(st.text())
def test_a_wait_that_cannot_be_read_is_unsaid_and_never_negative(text):
    wait = retry_after({"retry-after": text})
    assert wait is None or wait >= 0


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_is_the_sum_of_its_parts(hours, minutes, seconds, thousandths):
    text = f"{hours}h{minutes}m{seconds}s{thousandths}ms"
    expected = hours * 3600 + minutes * 60 + seconds + thousandths / 1000
    assert rate_limits({"x-ratelimit-reset-tokens": text}).tokens_reset == pytest.approx(expected)


@given(st.text())
def test_what_a_service_calls_its_limits_raises_nothing(text):
    names = ("limit-requests", "remaining-tokens", "reset-requests")
    rate_limits({f"x-ratelimit-{name}": text for name in names})
