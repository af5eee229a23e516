"""Verilog that tells Yosys how to make sums of adder cells."""

__all__ = ["ADDER_CELLS", "RIPPLE"]

#: Carries from one bit to the next: the smallest adder, and the one whose bits are full adders.
#: Yosys' own choice is a tree of carries, which no library has a cell for.
RIPPLE = """\
(* techmap_celltype = "$lcu" *)
module ripple_carry (P, G, CI, CO);
  parameter WIDTH = 1;
  input [WIDTH-1:0] P, G;
  input CI;
  output [WIDTH-1:0] CO;
  wire [WIDTH:0] carry;
  assign carry[0] = CI;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1)
    assign carry[i+1] = G[i] | P[i] & carry[i];
  endgenerate
  assign CO = carry[WIDTH:1];
endmodule
"""

#: Yosys' full adder (X is the carry) as cells; a half adder is one with a constant input.
ADDER_CELLS = """\
(* techmap_celltype = "$fa" *)
module adder_cells (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  parameter _TECHMAP_CONSTVAL_C_ = 0;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1) begin:bits
    if (_TECHMAP_CONSTMSK_C_[i] && !_TECHMAP_CONSTVAL_C_[i])
      sky130_fd_sc_hd__ha_1 half (.A(A[i]), .B(B[i]), .COUT(X[i]), .SUM(Y[i]));
    else
      sky130_fd_sc_hd__fa_1 full (.A(A[i]), .B(B[i]), .CIN(C[i]), .COUT(X[i]), .SUM(Y[i]));
  end endgenerate
endmodule
"""
