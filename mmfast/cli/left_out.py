"""
Left out: what the engine measures and does not quote on, and what of the field's models it does not have, with reasons.

In      nothing.
Out     fields of FEATURES that are shown only; models that are not there.
Source  a model that is off says so: nothing is silently absent. Sources of the sensor tell about themselves.
"""

from __future__ import annotations

import json

from mmfast.cli.outcome import Exit, tell

NO_RHO = "shown only: no correlation with the drift has been estimated"
COUNTED = "shown only: what the sensor refused is counted"

SHOWN_ONLY = {
    "book_regime": NO_RHO, "density": NO_RHO, "migration_bps_s": NO_RHO, "flicker": NO_RHO, "book_asymmetry": NO_RHO,
    "wall_bps": NO_RHO, "wall_lots": NO_RHO, "wall_age_s": NO_RHO,
    "flow_horizon": "shown only: of the four horizons the drift hears the one of five seconds",
    "hawkes_activity": "shown only: prices and modes hear the counted orders, `activity`",
    "liquidation_side": "shown only: the modes hear the ratio", "cascade": "shown only: the modes hear the ratio",
    "jump_bps": "shown only: jumps are in the filter's variance at their usual rate",
    "reference_flow": "shown only: the reference's prints are told later than the touch that they made",
    "odd_price_count": COUNTED, "odd_time_count": COUNTED, "own_print_count": COUNTED,
}

LEFT_OUT = {
    "funding, open interest and time of the hour in the usual rate of takers":
        "no weights have been estimated; the measured rate of the last half hour stands in",
    "excitation that depends on the queue": "the feed shows no queue, and no kernel has been estimated",
    "lead of the reference by mode of the market":
        "one lag with a memory of five minutes follows the market; modes are told apart after the sensor",
    "deviations of the lag and of its response":
        "how far the contrast stands out of its noise is the variance of the lead",
    "depth at 1 and 5 bps, mean size of prints, volume of the reference over ours, slower changes of open interest and "
    "funding, products of signals":
        NO_RHO.removeprefix("shown only: "),
    "basis to the reference": "the lead has it in the value; the drift hears the basis to the oracle",
    "modes of kappa": "volatility itself stands in their place, `kappa_sigma_power`",
    "adverse selection that grows with depth": "its slope is zero until it is calibrated",
    "standard error of the edge, and jumps, in the Kelly cap":
        "the edge is a parameter until fills are evaluated; the stress and liquidation caps cover jumps",
    "age of the data in the option cost":
        "beliefs follow the house's clock (feed.timer_ms), and quotes are pulled when the feed falls silent",
    "variance of the fair value in the spread":
        "markouts, option and informed takers are three estimates of the loss already; `value_error_bps` and "
        "`value_lag_s` say how sure the belief is, not where the quotes are",
    "place in the queue of each order": "the value of a live order has a fixed bonus, `queue_bonus`",
    "velocity of the toxicity and of the basis, acceleration of flow, entropy of the book":
        NO_RHO.removeprefix("shown only: "),
    "size limited by the day's volume or a tenth of the margin":
        "the position limit of each coin states what its market can bear, `size_max_clips` what a level may have",
    "pulling quotes by the probability of a crisis or by the margin used":
        "in a crisis no level has an edge and a tenth of the limit is left; the distance to liquidation is a cap",
    "sizes by entropy": "the optimum is computed exactly",
    "size limited by what others show at the level": "our share of a level is shown (`visibility`), not acted on",
    "placing orders by walls": "a matter for a controlled experiment; walls are shown",
    "walls that were pulled told from walls that were eaten, spoofing":
        "books come twice a second and do not show which orders left",
    "anchoring, repositioning, accumulation zones, walls elsewhere": "open research: no estimate exists",
    "participants by address": "an address joins the prints of one order; nobody is profiled",
    "further features of the trade classifier":
        "size, levels, pressure, forced orders and basis have weights; gaps between trades and funding have none",
    "funding elsewhere and of other coins": "the feed does not ask for it",
    "liquidations of a day, liquidation frontier": "the venue publishes no liquidations; forced orders are inferred",
    "implied volatility": "the venue has no options",
    "volatility of an hour": "five minutes are the longest memory that prices use",
    "leverage effect, dynamic conditional correlation":
        "averages at three scales with a stress in their place; both were optional",
    "usual spread and its percentile": "the noise of the micro-price follows the spread of now",
    "labels of volatility (low, normal, high, extreme)": "the probabilities of the three modes stand in their place",
    "a non-linear observation (unscented filter)": "all sources are linear in the state; the closed form is exact",
}


def left_out(as_json: bool) -> Exit:
    """Tell both lists."""
    if as_json:
        tell(json.dumps({"shown_only": SHOWN_ONLY, "left_out": LEFT_OUT}))
        return Exit.OK
    rows = [*((f"features: {name}", why) for name, why in SHOWN_ONLY.items()), *LEFT_OUT.items()]
    width = max(len(name) for name, _ in rows)
    tell("\n".join(f"{name:{width}s}  {why}" for name, why in rows))
    return Exit.OK
