"""What the report says was proved, what only tried, and what neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..report import ProofSection

if TYPE_CHECKING:
    from ..flow import Equivalence
    from ..proof import Claim
    from .silicon import OnSilicon

__all__ = ["Kind", "proof_section"]

#: Hardware by what is known of it.
Kind = Literal["pipeline", "turns", "sparse"]
_COMPARED: dict[Kind, str] = {
    "pipeline": "simplified gates",
    "turns": "simplified gates",
    "sparse": "an evaluation on whole frames",
}
_INSTEAD: dict[Kind, str] = {
    "pipeline": "build with `--prove`",
    "turns": "`--prove` knows plain pipelines only",
    "sparse": "docs/proof.md says what is proved of sparse CNNs",
}
_SIMULATE = "the Verilog text against PyTorch: `python -m lgn_hdl sim` simulates it"


def proof_section(
    checks: list[dict[str, Any]],
    claims: list[Claim],
    mapping: Equivalence | None,
    kind: Kind = "pipeline",
    silicon: OnSilicon | None = None,
) -> ProofSection:
    """The section of a build.

    Parameters
    ----------
    checks : list of dict
        What was compared on samples.
    claims : list of Claim
        What was to be proved; empty without `--prove`.
    mapping : Equivalence or None
        Proof of ABC's mapping, where no claim is about it.
    kind : {"pipeline", "turns", "sparse"}
        What `--prove` knows; hardware that takes turns; a sparse CNN.
    silicon : OnSilicon, optional
        Standard cells, which have a claim of their own.
    """
    proved = [_check(c.what, c.how, c.proved, c.seconds) for c in claims]
    if silicon is not None:
        claim = silicon.claim
        proved.append(_check(claim.what, claim.how, claim.proved, claim.seconds))
    if mapping is not None:
        what = "LUTs = logic they were mapped from"
        how = "cec of the logic between registers and carries, before and after ABC"
        proved.append(_check(what, how, mapping.proved, mapping.seconds))
    if not claims:
        more = "`--prove` proves" if kind == "pipeline" else "`sim` compares"
        status = f"{_COMPARED[kind]} equal to PyTorch on every vector; {more} the hardware"
        open_ones = [f"{c['what']} ({c['result']})" for c in proved if c["proved"] is None]
        if silicon is not None:
            said = "NOT proved" if silicon.claim.proved is None else "proved"
            status = f"{status}; standard cells = RTL {said}"
        return ProofSection(
            status,
            [*checks, *proved],
            [
                f"that network and RTL are equal on all inputs: {_INSTEAD[kind]}",
                _SIMULATE,
                *open_ones,
            ],
        )
    left = [check for check in proved if check["proved"] is None]
    status = "proved: for every input, the hardware gives what the network gives"
    if left:
        status = f"{len(proved) - len(left)} of {len(proved)} claims proved, no answer on the rest"
    not_proved = [f"{check['what']} ({check['result']})" for check in left]
    if mapping is not None:
        not_proved.append("the cells of the family around the LUTs: carry chains, registers")
    not_proved += [
        "the network file against the trained module: compared on samples with PyTorch",
        _SIMULATE,
    ]
    return ProofSection(status, [*checks, *proved], not_proved)


def _check(what: str, how: str, proved: bool | None, seconds: float) -> dict[str, Any]:
    result = f"no answer in {seconds:.0f} s"
    if proved:
        result = f"proved for all inputs in {seconds:.1f} s"
    return {
        "what": what,
        "how": how,
        "result": result,
        "proved": proved,
        "seconds": round(seconds, 3),
    }
