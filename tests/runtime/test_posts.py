"""Claims about questions that wait for an answer."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.runtime.posts import LOST, Posts


class Log:
    def __init__(self):
        self.said = []

    def of(self, name):
        return lambda answer, now_ns: self.said.append((name, answer, now_ns))


def test_an_answer_goes_to_its_own_question():
    posts, log = Posts(), Log()
    first, second = posts.open(log.of("a"), 100), posts.open(log.of("b"), 100)
    assert posts.answer(second, {"ok": 1}, 5)
    assert posts.answer(first, {"ok": 2}, 6)
    assert log.said == [("b", {"ok": 1}, 5), ("a", {"ok": 2}, 6)]
    assert len(posts) == 0


def test_a_second_answer_and_a_stranger_are_refused():
    posts, log = Posts(), Log()
    number = posts.open(log.of("a"), 100)
    assert posts.answer(number, 1, 5)
    assert not posts.answer(number, 2, 6)
    assert not posts.answer(number + 1, 2, 6)
    assert len(log.said) == 1


def test_a_question_is_lost_after_its_deadline_and_not_at_it():
    posts, log = Posts(), Log()
    number = posts.open(log.of("a"), 100)
    posts.open(log.of("b"), 200)
    assert posts.expire(100) == 0
    assert posts.expire(101) == 1
    assert log.said == [("a", LOST, 101)]
    assert not posts.answer(number, "late", 102)
    assert len(posts) == 1


def test_a_lost_connection_loses_every_question_on_it():
    posts, log = Posts(), Log()
    for name in "abc":
        posts.open(log.of(name), 100)
    assert posts.abandon(7) == 3
    assert log.said == [(name, LOST, 7) for name in "abc"]
    assert posts.abandon(8) == 0


def test_numbers_are_never_used_twice():
    posts = Posts(first_id=40)
    numbers = [posts.open(lambda answer, now_ns: None, 1) for _ in range(3)]
    posts.abandon(0)
    numbers.append(posts.open(lambda answer, now_ns: None, 1))
    assert numbers == [40, 41, 42, 43]


def test_a_callback_may_ask_again():
    posts, log = Posts(), Log()

    def again(answer, now_ns):
        posts.open(log.of("again"), now_ns + 100)

    posts.open(again, 10)
    posts.open(again, 10)
    assert posts.expire(11) == 2
    assert (len(posts), log.said) == (2, [])
    assert posts.abandon(12) == 2


def test_a_callback_may_give_up_the_connection():
    posts, log = Posts(), Log()
    posts.open(lambda answer, now_ns: posts.abandon(now_ns), 10)
    posts.open(log.of("b"), 10)
    posts.expire(11)
    assert log.said == [("b", LOST, 11)]


STEPS = st.lists(st.one_of(
    st.tuples(st.just("open"), st.integers(0, 50)), st.tuples(st.just("answer"), st.integers(1, 12)),
    st.tuples(st.just("expire"), st.integers(0, 60)), st.tuples(st.just("abandon"), st.just(0))), max_size=40)


@given(STEPS)
@settings(max_examples=80, deadline=None)
def test_every_callback_is_called_exactly_once(steps):
    posts, called, opened = Posts(), [], 0
    for verb, value in steps:
        if verb == "open":
            opened += 1
            posts.open(lambda answer, now_ns, k=opened: called.append(k), value)
        elif verb == "answer":
            posts.answer(value, "yes", 0)
        elif verb == "expire":
            posts.expire(value)
        else:
            posts.abandon(0)
        assert len(posts) == opened - len(called)
    posts.abandon(0)
    assert sorted(called) == list(range(1, opened + 1))
