"""Answers that exist already."""

import gzip
import json
from pathlib import Path

import pytest

from pytest_llmeval.connectors.recorded import Recorded
from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest
from pytest_llmeval.core.exchange import Response

SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture
def recorded(tmp_path):
    """A connector on a file of those rows (mappings, or lines as they are)."""

    def recorded(*rows: object, name: str = "answers.jsonl", **options: str) -> Recorded:
        text = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
        data = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return Recorded(str(tmp_path / name), **options)

    return recorded


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_row_is_found_by_the_sample_s_id(asks, about, recorded, name):
    connector = recorded({"id": "b", "answer": "B"}, {"id": "a", "answer": "A"}, name=name)
    assert asks(connector, about("a", "?"))[0] == Response("A")


def test_where_no_row_has_the_id_the_prompt_finds_it_and_then_the_input(asks, about, recorded, question):
    connector = recorded(
        {"id": "a", "prompt": "P", "answer": "by id"},
        {"prompt": "P", "answer": "by prompt"},
        {"input": "P", "answer": "by input of P"},
        {"input": "I", "answer": "by input"},
    )
    came = asks(connector, about("a", "P"), about("z", "I"), question("I"))
    assert [each.text for each in came] == ["by id", "by input", "by input"]


def test_the_input_finds_it_where_the_prompt_was_made_by_a_template(asks, about, recorded):
    connector = recorded({"input": "I", "answer": "A"})
    made = about("z", "I")
    asked = type(made)(({"role": "user", "content": "Q: I"},), sample=made.sample)
    assert asks(connector, asked)[0].text == "A"


def test_dataset_template_and_repeat_count_where_rows_carry_them(asks, about, recorded):
    connector = recorded(
        {"id": "a", "dataset": "one", "answer": "1"},
        {"id": "a", "dataset": "two", "answer": "2"},
        {"id": "a", "dataset": "two", "template": "t", "answer": "2t"},
        {"id": "a", "dataset": "two", "template": "t", "repeat": 2, "answer": "2t2"},
        {"id": "a", "answer": "any"},
    )
    came = asks(
        connector,
        about("a", "?", dataset="one"),
        about("a", "?", dataset="two"),
        about("a", "?", dataset="two", template="t"),
        about("a", "?", dataset="two", template="t", repeat=2),
        about("a", "?", dataset="three"),
    )
    assert [each.text for each in came] == ["1", "2", "2t", "2t2", "any"]


def test_what_a_row_carries_comes_with_the_answer(asks, about, recorded):
    connector = recorded(
        {
            "id": "a",
            "answer": "A",
            "finish_reason": "length",
            "tokens": {"input": 3, "output": 4},
            "latency": 0.5,
            "cost": 0.25,
        },
        {"id": "b", "answer": "B", "tokens": 7, "reasoning": "since"},
    )
    came = asks(connector, about("a", "?"), about("b", "?"))
    assert came == [Response("A", "length", 3, 4, 0.5, 0.25), Response("B", output_tokens=7, reasoning="since")]


def test_the_answer_may_stand_under_a_path_or_a_name_with_a_dot(asks, about, recorded):
    deep = recorded({"id": "a", "answers": {"small": "S"}}, answer="answers.small")
    assert asks(deep, about("a", "?"))[0].text == "S"
    flat = recorded({"id": "a", "answers.small": "F", "answers": {"small": "S"}}, answer="answers.small")
    assert asks(flat, about("a", "?"))[0].text == "F"


def test_answers_and_ids_are_text_as_written(asks, about, recorded):
    connector = recorded(
        '{"id": 1.10, "answer": 2.50}', '{"id": 7, "answer": true}', '{"id": "x", "answer": "\\ud800"}'
    )
    came = asks(connector, about("1.10", "?"), about("7", "?"), about("x", "?"))
    assert [each.text for each in came] == ["2.50", "true", "\ud800"]


def test_a_null_answer_is_that_sample_s_error_with_its_place(asks, about, recorded):
    connector = recorded({"id": "a", "answer": None}, {"id": "b", "answer": "B"}, {"id": "c"})
    null, fine, none = asks(connector, about("a", "?"), about("b", "?"), about("c", "?"))
    assert type(null) is type(none) is InvalidRequest
    assert null.message.endswith("answers.jsonl:1: the recorded answer is null")
    assert fine.text == "B"


def test_no_row_is_an_error_that_names_the_sample_and_the_file(asks, about, question, recorded):
    connector = recorded({"id": "a", "answer": "A"})
    by_id, by_prompt = asks(connector, about("z", "?"), question("What?"))
    assert type(by_id) is InvalidRequest
    assert by_id.message.startswith("no recorded answer for 'z' in ")
    assert by_prompt.message.startswith("no recorded answer for 'What?' in ")


def test_a_value_of_the_wrong_kind_is_that_sample_s_error(asks, about, recorded):
    (came,) = asks(recorded({"id": "a", "answer": "A", "latency": "fast"}), about("a", "?"))
    assert type(came) is InvalidRequest
    assert came.message.endswith("answers.jsonl:1: `latency` must be a number of seconds, at least 0")


def stopped(asks, connector, *requests) -> str:
    with pytest.raises(EndpointStopped) as error:
        asks(connector, *requests)
    return error.value.message


def test_two_answers_to_one_id_name_both_lines(asks, recorded):
    said = stopped(asks, recorded({"id": "a", "answer": "A"}, {"id": "b", "answer": "B"}, {"id": "a", "answer": "C"}))
    assert "answers.jsonl:1 and " in said
    assert said.endswith("answers.jsonl:3: two different answers to id 'a'")


def test_two_answers_to_one_prompt_matter_when_the_prompt_is_what_is_left(asks, about, recorded):
    connector = recorded({"id": "a", "prompt": "P", "answer": "A"}, {"id": "b", "prompt": "P", "answer": "B"})
    fine, contradiction = asks(connector, about("a", "P"), about("z", "P"))
    assert fine.text == "A"
    assert type(contradiction) is EndpointStopped
    assert "two different answers to prompt 'P'" in contradiction.message


def test_one_answer_that_stands_twice_is_no_contradiction(asks, about, recorded):
    assert asks(recorded(*[{"id": "a", "answer": "A"}] * 2), about("a", "?"))[0].text == "A"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "Expecting property name"),
        ("[1]", "a row must be an object"),
        ('{"id": "a", "id": "b"}', "duplicate key 'id'"),
        ('{"answer": "A"}', "a row needs one of `id`, `prompt`, `input`"),
        ('{"id": "b", "answer": ["A"]}', "the answer must be a text"),
    ],
)
def test_a_broken_row_stops_the_endpoint_with_file_and_line(asks, recorded, row, message):
    said = stopped(asks, recorded({"id": "a", "answer": "A"}, row))
    assert "answers.jsonl:2: " in said
    assert message in said


def test_a_file_that_is_not_utf_8_or_no_gzip_is_told(asks, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "a", "answer": "\xff"}')
    assert stopped(asks, Recorded(str(tmp_path / "a.jsonl"))).endswith("a.jsonl:1: it is not UTF-8")
    (tmp_path / "a.jsonl.gz").write_bytes(b"no gzip")
    assert "a.jsonl.gz:1: " in stopped(asks, Recorded(str(tmp_path / "a.jsonl.gz")))


def test_a_byte_order_mark_and_empty_lines_are_passed_over(asks, about, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"id": "a", "answer": "A"}\r\n\r\n')
    assert asks(Recorded(str(tmp_path / "a.jsonl")), about("a", "?"))[0].text == "A"


def test_a_column_that_no_row_has_is_told_with_the_nearest(asks, recorded):
    said = stopped(asks, recorded({"id": "a", "answr": "A"}))
    assert said.endswith("no row has the column 'answer' (`answer`); did you mean 'answr'?")


def test_a_missing_file_and_an_unset_variable_are_told_without_opening(tmp_path, environment):
    assert Recorded(str(tmp_path / "none.jsonl")).missing() == f"no recorded answers at {tmp_path}/none.jsonl (`path`)"
    assert (
        Recorded("${NOT_SET}/a.jsonl").missing()
        == "set the environment variable NOT_SET (`path` is `${NOT_SET}/a.jsonl`)"
    )
    environment({"IS_SET": str(tmp_path)})
    (tmp_path / "a.jsonl").touch()
    assert Recorded("${IS_SET}/a.jsonl").missing() is None


@pytest.mark.parametrize("path", ["a.json", "a.csv", "a"])
def test_another_kind_of_file_is_a_fault(path):
    with pytest.raises(ValueError, match=r"is neither \.jsonl nor \.jsonl\.gz"):
        Recorded(path)


def test_it_answers_without_limits_and_nothing_is_stored():
    connector = Recorded("a.jsonl")
    assert (connector.offline, connector.keep, connector.model) == (True, "never", "a.jsonl")
    assert connector.identity() != Recorded("a.jsonl", "other").identity()


def test_a_published_file_is_read_column_by_column(asks, about):
    path = SHARED / "gsm8k" / "gsm8k_test.jsonl.gz"
    if not path.exists():
        pytest.skip("the folder of published figures is not here")
    (came,) = asks(Recorded(str(path), "answers.6b_finetuning"), about("test/0000", "?"))
    assert came.text.endswith("A: 26")
