"""The python connector: a user's function, in its own thread or loop."""

import sys
import threading
import time

import anyio
import freezegun
import pytest

from pytest_llmeval.connectors.python import Python
from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest, Refused, Transient
from pytest_llmeval.core.exchange import Request, Response

PROGRAM = """
import asyncio, sys, threading, time
from pytest_llmeval import Refused, Response, Transient

def upper(prompt): return prompt.upper()
def last(messages): return f"{len(messages)} {messages[-1]['content']}"
def all_of_it(prompt, parameters, *, repeat): return f"{prompt} {parameters} {repeat}"
def anything(**given): return " ".join(sorted(given))
def positional(*given): return repr(given)
def defaulted(text, shout=False): return text
async def later(messages):
    await asyncio.sleep(0.001)
    return messages[-1]["content"]
def promised(prompt): return later([{"content": prompt}])
class Bot:
    def __call__(self, prompt): return "called " + prompt
    def method(self, prompt): return "method " + prompt
    async def amethod(self, prompt): return "amethod " + prompt
bot = Bot()
def mapping(prompt):
    return {"text": "a", "finish_reason": "length", "tokens": {"input": 1, "output": 2}, "cost": 0.5, "latency": 1, "reasoning": "r"}
def response(prompt): return Response("kept", "length")
def bare_total(prompt): return {"text": "a", "tokens": 7}

def divides(prompt): return 1 / 0
def nested(prompt): return int(prompt)
def leaves(prompt): sys.exit(3)
async def leaves_later(prompt): sys.exit(3)
async def cancels(prompt): raise asyncio.CancelledError
def thread(prompt): return str(threading.get_ident())
async def thread_later(prompt): return thread(prompt)
def busy(prompt): raise Transient("busy", 2.0)
async def refused(prompt): raise Refused("no")
def wants_more(prompt, index): return index
number = 3
"""


@pytest.fixture(autouse=True)
def _program(tmp_path, monkeypatch):
    (tmp_path / "my_program.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_program", None)


@pytest.fixture
def answer(asks, question):
    def answer(name: str, request: Request | None = None):
        return asks(Python(f"my_program:{name}"), request or question("hello", temperature=0))[0]

    return answer


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("upper", "HELLO"),
        ("last", "1 hello"),
        ("all_of_it", "hello {'temperature': 0} 1"),
        ("anything", "messages parameters repeat"),
        ("positional", "('hello',)"),
        ("defaulted", "hello"),
        ("later", "hello"),
        ("promised", "hello"),
        ("bot", "called hello"),
        ("bot.method", "method hello"),
        ("bot.amethod", "amethod hello"),
    ],
)
def test_a_target_gets_what_it_has_parameters_for(answer, name, text):
    assert answer(name) == Response(text)


def test_a_mapping_says_what_is_known_beside_the_text(answer):
    assert answer("mapping") == Response("a", "length", 1, 2, 1.0, 0.5, "r")
    assert answer("bare_total") == Response("a", output_tokens=7)
    assert answer("response") == Response("kept", "length")


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("None", "returned NoneType; a text or a mapping with `text` is expected"),
        ("7", "returned int; a text or a mapping"),
        ("{'txt': 'a'}", "returned a mapping with an unknown key 'txt'; did you mean 'text'?"),
        ("{}", "returned a mapping whose `text` is NoneType"),
        ("{'text': 'a', 'cost': -1}", "`cost` must be a number of USD"),
        ("{'text': 'a', 'latency': float('nan')}", "`latency` must be a number of seconds"),
        ("{'text': 'a', 'tokens': {'in': 1}}", "`tokens` has 'in'; it takes `input` and `output`"),
        ("{'text': 'a', 'tokens': 1.5}", "`tokens` must be whole numbers"),
        ("{'text': 'a', 'finish_reason': 3}", "`finish_reason` must be a text, not int"),
    ],
)
def test_what_is_returned_is_held_to_its_form(answer, tmp_path, returned, message):
    (tmp_path / "my_program.py").write_text(f"def f(prompt): return {returned}")
    came = answer("f")
    assert type(came) is InvalidRequest
    assert came.message.startswith("my_program:f returned ")
    assert message in came.message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("divides", "ZeroDivisionError: division by zero"),
        ("nested", "ValueError: invalid literal for int() with base 10: 'hello'"),
        ("leaves", "SystemExit: 3"),
        ("leaves_later", "SystemExit: 3"),
        ("cancels", "CancelledError: "),
    ],
)
def test_what_it_raises_is_that_request_s_error_with_the_user_s_place(answer, name, words):
    line = next(number for number, text in enumerate(PROGRAM.splitlines(), 1) if f"def {name}(" in text)
    came = answer(name)
    assert type(came) is InvalidRequest
    assert came.message.startswith(words)
    assert came.message.endswith(f"my_program.py:{line})")


def test_classed_errors_pass(answer):
    busy, refused = answer("busy"), answer("refused")
    assert type(busy) is Transient
    assert busy.retry_after == 2.0
    assert type(refused) is Refused


def test_an_error_of_one_request_leaves_the_others_alone(asks, question):
    came = asks(Python("my_program:nested"), question("x"), question("y"))
    assert [type(each) for each in came] == [InvalidRequest, InvalidRequest]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:f", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("my_program:no_such", "has no attribute 'no_such'"),
    ],
)
def test_a_failing_import_stops_the_endpoint_and_names_pythonpath(asks, question, target, message):
    connector = Python(target)
    with pytest.raises(EndpointStopped) as stopped:
        asks(connector, question())
    assert message in stopped.value.message
    assert "the ini `pythonpath`" in stopped.value.message
    assert connector.missing() == stopped.value.message
    assert connector.refuses(()) is None


@pytest.mark.parametrize(
    ("source", "message"),
    [("raise SystemExit(4)", "SystemExit: 4"), ("1/0", "ZeroDivisionError"), ("f = 3", "is int, not a function")],
)
def test_a_module_that_raises_stops_the_endpoint(tmp_path, source, message):
    (tmp_path / "my_program.py").write_text(source)
    assert message in Python("my_program:f").missing()


def test_a_parameter_that_nothing_gives_stops_the_endpoint():
    assert Python("my_program:wants_more").missing() == (
        "target my_program:wants_more needs a parameter `index`; "
        "it can be given `messages`, `prompt`, `parameters`, `repeat`"
    )


@pytest.mark.parametrize("target", ["my_program", "my_program:", ":f", "my-program:f", "a/b.py:f", "a:b:c"])
def test_a_target_that_is_none_is_a_fault_of_the_file(target):
    with pytest.raises(ValueError, match=r"package\.module:function"):
        Python(target)


def test_a_conversation_needs_a_parameter_for_it():
    user, system = {"role": "user", "content": "a"}, {"role": "system", "content": "b"}
    assert Python("my_program:upper").refuses((user,)) is None
    assert "there is a system text" in Python("my_program:upper").refuses((system, user))
    assert "there is a conversation" in Python("my_program:upper").refuses((user, user))
    assert "`messages`" in Python("my_program:upper").refuses((user, user))
    assert Python("my_program:last").refuses((system, user, user)) is None


def test_answers_are_kept_beyond_the_run_only_with_a_version():
    assert (Python("a:b").keep, Python("a:b", "1").keep) == ("run", "always")
    assert Python("a:b", "1").identity() != Python("a:b", "2").identity() != Python("a:c", "2").identity()


def test_sync_targets_run_at_once_up_to_the_limit_and_off_the_loop(opening, question, tmp_path):
    (tmp_path / "my_program.py").write_text(
        "import threading\nmet = threading.Barrier(3)\ndef f(prompt): met.wait(5); return str(threading.get_ident())"
    )
    opening.max_concurrency = 3

    async def run() -> set[str]:
        names = set()
        async with Python("my_program:f").open(opening) as asker:

            async def one() -> None:
                names.add((await asker.ask(question())).text)

            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(one)
        return names

    names = anyio.run(run)
    assert len(names) == 3
    assert str(threading.main_thread().ident) not in names


def test_an_async_target_that_blocks_holds_up_nobody_else(opening, question, tmp_path):
    (tmp_path / "my_program.py").write_text(
        "import threading\ngo = threading.Event()\nasync def f(prompt): go.wait(5); return 'went'"
    )

    async def run() -> str:
        async with Python("my_program:f").open(opening) as asker:
            came = []

            async def one() -> None:
                came.append((await asker.ask(question())).text)

            async with anyio.create_task_group() as group:
                group.start_soon(one)
                await anyio.sleep(0.02)
                sys.modules["my_program"].go.set()
            return came[0]

    assert anyio.run(run) == "went"


def test_a_call_past_its_time_is_left_behind(asks, question, tmp_path):
    (tmp_path / "my_program.py").write_text(
        "import asyncio, threading\ngo = threading.Event()\n"
        "def f(prompt): go.wait(5); return ''\nasync def g(prompt): await asyncio.sleep(60)"
    )
    for name in ("f", "g"):
        started = time.perf_counter()
        (came,) = asks(Python(f"my_program:{name}"), question(), timeout=0.05)
        assert type(came) is TimeoutError
        assert time.perf_counter() - started < 2
    sys.modules["my_program"].go.set()


def test_an_async_target_sleeps_rightly_while_the_time_is_frozen(answer):
    with freezegun.freeze_time("2020-01-01"):
        assert answer("later").text == "hello"


@pytest.mark.parametrize("name", ["thread", "thread_later"])
def test_a_call_is_said_to_be_out_by_the_thread_that_makes_it(answer, opening, name):
    """A test that waits to begin begins when the function does, not when a thread was asked for."""
    said: list[str] = []
    opening.sent = lambda: said.append(str(threading.get_ident()))

    assert answer(name).text == said[0] != str(threading.get_ident())
    assert len(said) == 1
