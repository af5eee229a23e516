"""What the report says was proved, what only tried, and what neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..report import ProofSection

if TYPE_CHECKING:
    from ..flow import Equivalence
    from ..proof import Claim

__all__ = ["proof_section"]

_SIMULATE = "the Verilog text against PyTorch: `python -m lgn_hdl sim` simulates it"


def proof_section(
    checks: list[dict[str, Any]],
    claims: list[Claim],
    mapping: Equivalence | None,
    *,
    provable: bool = True,
    sparse: bool = False,
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
    provable : bool
        Whether `--prove` knows hardware of this kind.
    sparse : bool
        Whether it is a sparse CNN, which has no gates to simplify.
    """
    proved = [_check(c.what, c.how, c.proved, c.seconds) for c in claims]
    if mapping is not None:
        what = "LUTs = logic they were mapped from"
        how = "cec of the logic between registers and carries, before and after ABC"
        proved.append(_check(what, how, mapping.proved, mapping.seconds))
    if not claims:
        more = "`--prove` proves the hardware" if provable else "`sim` compares the hardware"
        what = "an evaluation on whole frames" if sparse else "simplified gates"
        how = (
            "build with `--prove`"
            if provable
            else (
                "docs/proof.md says what is proved of sparse CNNs"
                if sparse
                else "`--prove` knows plain pipelines only"
            )
        )
        return ProofSection(
            f"{what} equal to PyTorch on every vector; {more}",
            [*checks, *proved],
            [f"that network and RTL are equal on all inputs: {how}", _SIMULATE],
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
