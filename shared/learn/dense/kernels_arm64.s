//go:build !purego

#include "textflag.h"

// NEON. Each kernel is described in kernels.go. Go's assembler does not know the forms of FMLA and FMUL that take one
// number of a register as a factor (Arm Architecture Reference Manual, "FMLA (by element)"): they are spelled in bits.
// Registers are given by number, high<<1|low is the number's place in m.
#define FMLA(high, low, m, n, d) WORD $(0x4f801000 | low<<21 | m<<16 | high<<11 | n<<5 | d)
#define FMUL(m, n, d) WORD $(0x4f809000 | m<<16 | n<<5 | d)
#define FADD(m, n, d) WORD $(0x4e20d400 | m<<16 | n<<5 | d)

// func tileVector(dst *float32, dstStride int, a *float32, aStride int, b *float32, bStride int, n int, alpha float32)
// V0 to V15 are the block, four registers a row; V16 to V19 a row of b; V20 four numbers of a.
TEXT ·tileVector(SB), NOSPLIT, $0-60
	MOVD dst+0(FP), R0
	MOVD dstStride+8(FP), R1
	MOVD a+16(FP), R2
	MOVD aStride+24(FP), R3
	MOVD b+32(FP), R4
	MOVD bStride+40(FP), R5
	MOVD n+48(FP), R6
	LSL  $2, R1
	LSL  $2, R3
	LSL  $2, R5
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16

tileLoop:
	VLD1 (R4), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1 (R2), [V20.S4]
	ADD  R5, R4
	ADD  R3, R2
	FMLA(0, 0, 20, 16, 0)
	FMLA(0, 0, 20, 17, 1)
	FMLA(0, 0, 20, 18, 2)
	FMLA(0, 0, 20, 19, 3)
	FMLA(0, 1, 20, 16, 4)
	FMLA(0, 1, 20, 17, 5)
	FMLA(0, 1, 20, 18, 6)
	FMLA(0, 1, 20, 19, 7)
	FMLA(1, 0, 20, 16, 8)
	FMLA(1, 0, 20, 17, 9)
	FMLA(1, 0, 20, 18, 10)
	FMLA(1, 0, 20, 19, 11)
	FMLA(1, 1, 20, 16, 12)
	FMLA(1, 1, 20, 17, 13)
	FMLA(1, 1, 20, 18, 14)
	FMLA(1, 1, 20, 19, 15)
	SUBS $1, R6
	BNE  tileLoop

	FMOVS alpha+56(FP), F20
#define ADD_ROW(v0, v1, v2, v3) \
	VLD1 (R0), [V16.S4, V17.S4, V18.S4, V19.S4] \
	FMLA(0, 0, 20, v0, 16)                      \
	FMLA(0, 0, 20, v1, 17)                      \
	FMLA(0, 0, 20, v2, 18)                      \
	FMLA(0, 0, 20, v3, 19)                      \
	VST1 [V16.S4, V17.S4, V18.S4, V19.S4], (R0) \
	ADD  R1, R0
	ADD_ROW(0, 1, 2, 3)
	ADD_ROW(4, 5, 6, 7)
	ADD_ROW(8, 9, 10, 11)
	ADD_ROW(12, 13, 14, 15)
	RET

// func rowVector(dst *float32, x *float32, panels *float32, stride int, n int)
// V0 to V15 are the sums, four registers a panel; V16 to V19 and V21 to V24 rows of panels; F20 a number of x.
TEXT ·rowVector(SB), NOSPLIT, $0-40
	MOVD dst+0(FP), R0
	MOVD x+8(FP), R1
	MOVD panels+16(FP), R2
	MOVD stride+24(FP), R3
	MOVD n+32(FP), R6
	LSL  $2, R3
	ADD  R3, R2, R4
	ADD  R3, R4, R5
	ADD  R3, R5, R7
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16

rowLoop:
	FMOVS.P 4(R1), F20
	VLD1.P  64(R2), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P  64(R4), [V21.S4, V22.S4, V23.S4, V24.S4]
	FMLA(0, 0, 20, 16, 0)
	FMLA(0, 0, 20, 17, 1)
	FMLA(0, 0, 20, 18, 2)
	FMLA(0, 0, 20, 19, 3)
	FMLA(0, 0, 20, 21, 4)
	FMLA(0, 0, 20, 22, 5)
	FMLA(0, 0, 20, 23, 6)
	FMLA(0, 0, 20, 24, 7)
	VLD1.P  64(R5), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P  64(R7), [V21.S4, V22.S4, V23.S4, V24.S4]
	FMLA(0, 0, 20, 16, 8)
	FMLA(0, 0, 20, 17, 9)
	FMLA(0, 0, 20, 18, 10)
	FMLA(0, 0, 20, 19, 11)
	FMLA(0, 0, 20, 21, 12)
	FMLA(0, 0, 20, 22, 13)
	FMLA(0, 0, 20, 23, 14)
	FMLA(0, 0, 20, 24, 15)
	SUBS $1, R6
	BNE  rowLoop

	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R0)
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R0)
	VST1.P [V12.S4, V13.S4, V14.S4, V15.S4], 64(R0)
	RET

// func combineVector(dst *float32, columns int, rows *float32, stride int, weights *float32, weightStride int, n int, alpha float32)
// Sixteen columns at a time: V0 to V3 sum the even rows, V4 to V7 the odd ones.
TEXT ·combineVector(SB), NOSPLIT, $0-60
	MOVD dst+0(FP), R0
	MOVD columns+8(FP), R1
	MOVD rows+16(FP), R2
	MOVD stride+24(FP), R3
	MOVD weightStride+40(FP), R5
	LSL  $2, R3
	LSL  $2, R5
	FMOVS alpha+56(FP), F20

combineColumns:
	MOVD R2, R7
	MOVD weights+32(FP), R4
	MOVD n+48(FP), R6
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	SUBS $2, R6
	BLT  combineLast

combinePair:
	VLD1 (R7), [V16.S4, V17.S4, V18.S4, V19.S4]
	FMOVS (R4), F21
	ADD  R3, R7
	ADD  R5, R4
	FMLA(0, 0, 21, 16, 0)
	FMLA(0, 0, 21, 17, 1)
	FMLA(0, 0, 21, 18, 2)
	FMLA(0, 0, 21, 19, 3)
	VLD1 (R7), [V22.S4, V23.S4, V24.S4, V25.S4]
	FMOVS (R4), F26
	ADD  R3, R7
	ADD  R5, R4
	FMLA(0, 0, 26, 22, 4)
	FMLA(0, 0, 26, 23, 5)
	FMLA(0, 0, 26, 24, 6)
	FMLA(0, 0, 26, 25, 7)
	SUBS $2, R6
	BGE  combinePair

combineLast:
	ADDS $2, R6
	BEQ  combineStore
	VLD1 (R7), [V16.S4, V17.S4, V18.S4, V19.S4]
	FMOVS (R4), F21
	FMLA(0, 0, 21, 16, 0)
	FMLA(0, 0, 21, 17, 1)
	FMLA(0, 0, 21, 18, 2)
	FMLA(0, 0, 21, 19, 3)

combineStore:
	FADD(4, 0, 0)
	FADD(5, 1, 1)
	FADD(6, 2, 2)
	FADD(7, 3, 3)
	VLD1 (R0), [V16.S4, V17.S4, V18.S4, V19.S4]
	FMLA(0, 0, 20, 0, 16)
	FMLA(0, 0, 20, 1, 17)
	FMLA(0, 0, 20, 2, 18)
	FMLA(0, 0, 20, 3, 19)
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R0)
	ADD  $64, R2
	SUBS $16, R1
	BGT  combineColumns
	RET

// func gatherVector(dst *float32, from *float32, width int, chosen *int32, scales *float32, n int)
TEXT ·gatherVector(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD from+8(FP), R1
	MOVD width+16(FP), R2
	MOVD chosen+24(FP), R3
	MOVD scales+32(FP), R4
	MOVD n+40(FP), R5
	LSL  $2, R2

gatherRow:
	MOVW.P 4(R3), R6
	MUL    R2, R6
	ADD    R1, R6
	FMOVS.P 4(R4), F20
	MOVD   R2, R7

gatherColumns:
	VLD1.P 64(R6), [V16.S4, V17.S4, V18.S4, V19.S4]
	FMUL(20, 16, 16)
	FMUL(20, 17, 17)
	FMUL(20, 18, 18)
	FMUL(20, 19, 19)
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R0)
	SUBS $64, R7
	BGT  gatherColumns
	SUBS $1, R5
	BNE  gatherRow
	RET
