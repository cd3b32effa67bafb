"""
Optimal quotes of a market maker with inventory risk, costs, drift, carry and two different sides.

In      kappa, A and cost of both sides; gamma, sigma, inventory; drift and funding.
Out     curvature a, horizon tau, shift of the reservation price by cause, widths.
Source  Guéant, Lehalle & Fernandez-Tapia (2013), "Dealing with the inventory risk"; the quadratic
        Hamiltonian of Bergault, Evangelista, Guéant & Vieira (2021).

With eta = A e^(-kappa c) (1 + g/kappa)^-(1 + kappa/g), g = gamma at no inventory, and E = sum(eta kappa):
a = sqrt(gamma sigma^2 / E) / 2,  tau = 1 / (2 a E),
shift x = mu / (theta + 1/tau) - f tau - (2a (eta_b - eta_a) - 2a^2 (eta_b k_b - eta_a k_a)) tau - 2a q,
width w = c + ln(1 + g/kappa) / g + a,  depths from the fair value: bid w_b - x, ask w_a + x.
"""

from __future__ import annotations

import math

from mmfast.kernel import kernel

GAMMA_MIN = 1e-12
RATE_MIN = 1e-12
A_MIN = 1e-9


@kernel
def eta(intensity: float, kappa: float, cost_bps: float, gamma0: float) -> float:
    """Rate of fills at the optimal depth of an empty inventory, but for the risk term [1/s]."""
    g = max(gamma0, GAMMA_MIN)
    power = -kappa * cost_bps - (1.0 + kappa / g) * math.log1p(g / kappa)
    return intensity * math.exp(min(max(power, -700.0), 50.0))


@kernel
def monopoly_depth(kappa: float, gamma0: float) -> float:
    """ln(1 + g/kappa)/g, the depth that would be best without cost and inventory [bps]; 1/kappa for small g."""
    g = max(gamma0, GAMMA_MIN)
    return math.log1p(g / kappa) / g


@kernel
def curvature(gamma: float, sigma_bps: float, answer: float) -> float:
    """a [bps for each clip]: half of what one clip more moves the reservation price. ``answer`` is sum(eta kappa)."""
    return max(0.5 * sigma_bps * math.sqrt(max(gamma, 0.0) / max(answer, RATE_MIN)), A_MIN)


@kernel
def horizon_s(a: float, answer: float) -> float:
    """tau, how long inventory stays: 1 / (2 a sum(eta kappa)) [s]."""
    return 1.0 / (2.0 * a * max(answer, RATE_MIN))


@kernel
def drift_shift(mu_bps_s: float, theta: float, tau_s: float) -> float:
    """What the drift adds to the reservation price before it reverts or the inventory is gone [bps]."""
    return mu_bps_s / (max(theta, 0.0) + 1.0 / tau_s)


@kernel
def flow_shift(a: float, tau_s: float, eta_bid: float, eta_ask: float, kappa_bid: float, kappa_ask: float) -> float:
    """What the difference between the sides adds: leaning against the inventory it will bring [bps]."""
    return -(2.0 * a * (eta_bid - eta_ask) - 2.0 * a * a * (eta_bid * kappa_bid - eta_ask * kappa_ask)) * tau_s
