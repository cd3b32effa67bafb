"""Who is let into a block, and what a refusal costs."""

from __future__ import annotations

import pytest
from support.venue import START_MS, Client, Venue, cancel_action, order, order_action

from mmfast.sim.admission import envelope
from mmfast.sim.limits import Limits
from mmfast.sim.schema import SchemaError

NOOP = {"type": "noop"}


def test_stranger_is_told_its_recovered_address(venue):
    stranger = Client(venue, 99)
    assert stranger.do(NOOP) == {"status": "err",
                                 "response": f"User or API Wallet {stranger.address} does not exist."}


def test_stranger_who_moves_money_is_told_to_deposit(venue):
    stranger = Client(venue, 99)
    pay = {"type": "usdSend", "hyperliquidChain": "Testnet", "signatureChainId": "0x66eee",
           "destination": "0x" + "2" * 40, "amount": "1", "time": 0}
    assert stranger.do(pay)["response"] == f"Must deposit before performing actions. User: {stranger.address}"


def test_tampered_action_belongs_to_a_stranger(venue):
    client = venue.client()
    body = client.signed(order_action(order("B", "99990", "0.1")))
    body["action"]["orders"][0]["s"] = "0.2"
    answers = []
    venue.exchange.submit(body, 0, answers.append)
    venue.block()
    assert answers[0]["status"] == "err"
    assert "does not exist" in answers[0]["response"]
    assert client.address not in answers[0]["response"]


def test_signature_that_no_key_can_have_made_is_said_so(venue):
    body = venue.client().signed(NOOP)
    body["signature"]["r"] = "0x0"
    answers = []
    venue.exchange.submit(body, 0, answers.append)
    venue.block()
    assert answers[0] == {"status": "err", "response": "Unable to recover signer."}


def test_nonce_is_used_by_accepted_actions_only(venue):
    client = venue.client()
    nonce = venue.now_ms
    assert client.do(NOOP, nonce=nonce)["status"] == "ok"
    assert client.do(NOOP, nonce=nonce)["response"] == f"Invalid nonce: duplicate nonce {nonce}"
    assert client.do(NOOP, nonce=5)["response"].startswith("Invalid nonce: nonce too low 5 <")


def test_expired_action_costs_five_and_its_nonce(venue):
    client = venue.client()
    assert client.do(NOOP, nonce=START_MS + 9, expires=START_MS)["response"] == "Action already expired"
    assert client.account.budget.used == 5
    assert "duplicate" in client.do(NOOP, nonce=START_MS + 9)["response"]
    assert client.do(NOOP, expires=START_MS + 10**6)["status"] == "ok"


def test_each_element_costs_one_even_when_it_fails(venue):
    client = venue.client()
    client.do(cancel_action(1, 2, 3))
    assert client.account.budget.used == 3


def test_refused_action_costs_nothing(venue):
    client = venue.client()
    client.do(NOOP, nonce=5)
    assert client.account.budget.used == 0


def test_batch_of_more_than_two_hundred_is_refused_whole(venue):
    client = venue.client()
    refused = client.do(cancel_action(*range(201)))
    assert refused == {"status": "err", "response": "Signed action over weight limit of 200."}
    assert client.do(cancel_action(*range(200)))["status"] == "ok"


def test_exhausted_budget_refuses_unless_limits_are_off():
    for enabled in (True, False):
        venue = Venue(limits=Limits(enabled=enabled), free_actions=2)
        client = venue.client()
        answers = [client.do(NOOP)["status"] for _ in range(3)]
        assert answers == ["ok", "ok", "err" if enabled else "ok"]


def test_only_the_own_address_is_a_vault(venue):
    client = venue.client()
    other = "0x" + "12" * 20
    assert client.do(NOOP, vault=other)["response"] == f"Vault not registered: {other}"
    assert client.do(NOOP, vault=client.address)["status"] == "ok"


def test_agent_acts_for_its_master(venue):
    master = venue.client(1)
    agent = Client(venue, 2)
    venue.exchange.approve(master.address, agent.address)
    agent.account_address = master.address
    assert "resting" in agent.place(order("B", "99990", "0.1"))[0]
    assert len(master.account.orders.open) == 1


@pytest.mark.parametrize("body", [
    None, [], {}, {"action": {"type": "noop"}}, {"action": {"type": "sing"}, "nonce": 1, "signature": {}},
    {"action": {"type": "noop"}, "nonce": -1, "signature": {}},
    {"action": {"type": "noop"}, "nonce": 1, "signature": {}, "vaultAddress": "0x12"},
    {"action": {"type": "noop"}, "nonce": 1.5, "signature": {}},
    {"action": {"type": "noop"}, "nonce": 1, "signature": []},
    *({"action": {"type": "noop"}, "nonce": 1, "signature": {"r": "0x1", "s": "0x1", "v": 27, **part}}
      for part in ({"r": 1}, {"r": "1"}, {"s": "0xzz"}, {"s": "0x" + "1" * 65}, {"v": "27"}, {"v": None})),
])
def test_body_of_another_shape_is_not_deserialized(body):
    with pytest.raises(SchemaError):
        envelope(body, "b")


def test_a_payment_signed_for_the_other_network_is_refused_in_the_venues_words(venue):
    payer = venue.client()
    pay = {"type": "usdSend", "signatureChainId": "0x66eee", "destination": "0x" + "2" * 40, "amount": "1", "time": 0}
    assert payer.do({**pay, "hyperliquidChain": "Testnet"})["status"] == "ok"
    assert payer.do({**pay, "hyperliquidChain": "Mainnet"})["response"] == (
        "Mainnet and testnet require different signature.")
    assert payer.account.raw_uusd == 999_999 * 10**6


def test_a_payment_cannot_be_sent_again_with_another_nonce_around_it(venue):
    payer = venue.client()
    body = payer.signed({"type": "usdSend", "hyperliquidChain": "Testnet", "signatureChainId": "0x66eee",
                         "destination": "0x" + "2" * 40, "amount": "1", "time": 0})
    answers = []
    for later in range(2):
        venue.exchange.submit({**body, "nonce": body["nonce"] + later}, 0, answers.append)
        venue.block()
    assert answers[0]["status"] == "ok"
    assert answers[1]["response"] == f"Invalid nonce: duplicate nonce {body['nonce']}"
    assert payer.account.raw_uusd == 999_999 * 10**6


@pytest.mark.parametrize("change", [{"signatureChainId": "-1"}, {"signatureChainId": "0x" + "f" * 65},
                                    {"signatureChainId": "abc?"}, {"agentName": True}, {"agentName": 5},
                                    {"agentName": []}])
def test_an_approval_that_cannot_have_been_signed_is_not_deserialized(venue, change):
    action = {"type": "approveAgent", "signatureChainId": "0x66eee", "hyperliquidChain": "Testnet",
              "agentAddress": "0x" + "2" * 40, "agentName": "x", "nonce": START_MS, **change}
    with pytest.raises(SchemaError):
        envelope({**venue.client().signed(NOOP), "action": action}, "b")
