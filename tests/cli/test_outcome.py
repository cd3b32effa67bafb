"""Claims about exit codes."""

from mmfast.cli.outcome import EPILOG, MEANINGS, Exit, Refusal, say, tell


def test_codes_are_the_documented_ones_and_each_has_a_meaning():
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 130, 143]
    assert set(MEANINGS) == set(Exit)
    assert all(f"{code.value}  {text}" in EPILOG for code, text in MEANINGS.items())


def test_a_refusal_carries_code_problem_and_remedy():
    refusal = Refusal(Exit.TIMEOUT, "too slow", "wait")
    assert (refusal.code, refusal.problem, refusal.remedy) == (5, "too slow", "wait")


def test_data_goes_to_standard_output_and_messages_to_standard_error(capsys):
    tell("data")
    say("message")
    assert capsys.readouterr() == ("data\n", "message\n")
