"""Verilog that tells Yosys how to make sums of adder cells."""

__all__ = ["ADDER_CELLS", "RIPPLE", "SUMS"]

#: Carries from one bit to the next, which is the smallest. Yosys' own choice is a tree of carries.
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

#: Sums and differences as chains of full adders.
SUMS = """\
(* techmap_celltype = "$alu" *)
module chain_of_adders (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  input CI, BI;
  output [Y_WIDTH-1:0] X, Y, CO;
  wire [Y_WIDTH-1:0] a, b, second;
  wire [Y_WIDTH:0] carry;
  \\$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) first (.A(A), .Y(a));
  \\$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) other (.A(B), .Y(b));
  assign second = b ^ {Y_WIDTH{BI}};
  assign carry[0] = CI;
  \\$fa #(.WIDTH(Y_WIDTH)) sum
    (.A(a), .B(second), .C(carry[Y_WIDTH-1:0]), .X(carry[Y_WIDTH:1]), .Y(Y));
  assign X = a ^ second;
  assign CO = carry[Y_WIDTH:1];
endmodule
"""

#: Yosys' full adder (X is the carry) as cells; with a constant input it is a half adder or logic.
ADDER_CELLS = """\
(* techmap_celltype = "$fa" *)
module adder_cells (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  parameter _TECHMAP_CONSTVAL_C_ = 0;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1) begin:bits
    if (_TECHMAP_CONSTMSK_A_[i] || _TECHMAP_CONSTMSK_B_[i]
        || (_TECHMAP_CONSTMSK_C_[i] && _TECHMAP_CONSTVAL_C_[i])) begin
      assign X[i] = A[i] & B[i] | C[i] & (A[i] | B[i]);
      assign Y[i] = A[i] ^ B[i] ^ C[i];
    end else if (_TECHMAP_CONSTMSK_C_[i])
      sky130_fd_sc_hd__ha_1 half (.A(A[i]), .B(B[i]), .COUT(X[i]), .SUM(Y[i]));
    else
      sky130_fd_sc_hd__fa_1 full (.A(A[i]), .B(B[i]), .CIN(C[i]), .COUT(X[i]), .SUM(Y[i]));
  end endgenerate
endmodule
"""
