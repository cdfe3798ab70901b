//go:build !purego

#include "textflag.h"

// AVX2 with FMA, and AVX-512 for largeVector. Each kernel is described in kernels.go.

// func tileVector(dst *float32, dstStride int, a *float32, aStride int, b *float32, bStride int, n int, alpha float32)
// Y0 to Y7 are the block, two registers a row; Y8 and Y9 a row of b; Y10 and Y11 a number of a, broadcast.
TEXT ·tileVector(SB), NOSPLIT, $0-60
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), R8
	MOVQ a+16(FP), SI
	MOVQ aStride+24(FP), R9
	MOVQ b+32(FP), DX
	MOVQ bStride+40(FP), R10
	MOVQ n+48(FP), CX
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R10
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7

tileLoop:
	VMOVUPS (DX), Y8
	VMOVUPS 32(DX), Y9
	VBROADCASTSS (SI), Y10
	VBROADCASTSS 4(SI), Y11
	VFMADD231PS Y8, Y10, Y0
	VFMADD231PS Y9, Y10, Y1
	VFMADD231PS Y8, Y11, Y2
	VFMADD231PS Y9, Y11, Y3
	VBROADCASTSS 8(SI), Y10
	VBROADCASTSS 12(SI), Y11
	VFMADD231PS Y8, Y10, Y4
	VFMADD231PS Y9, Y10, Y5
	VFMADD231PS Y8, Y11, Y6
	VFMADD231PS Y9, Y11, Y7
	ADDQ R9, SI
	ADDQ R10, DX
	DECQ CX
	JNZ  tileLoop

	VBROADCASTSS alpha+56(FP), Y10
#define ADD_ROW(low, high) \
	VMOVUPS (DI), Y8            \
	VMOVUPS 32(DI), Y9          \
	VFMADD231PS low, Y10, Y8    \
	VFMADD231PS high, Y10, Y9   \
	VMOVUPS Y8, (DI)            \
	VMOVUPS Y9, 32(DI)          \
	ADDQ R8, DI
	ADD_ROW(Y0, Y1)
	ADD_ROW(Y2, Y3)
	ADD_ROW(Y4, Y5)
	ADD_ROW(Y6, Y7)
	VZEROUPPER
	RET

// func rowVector(dst *float32, x *float32, panels *float32, stride int, n int)
// Y0 to Y7 are the sums, two registers a panel; Y8 a number of x, broadcast.
TEXT ·rowVector(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ panels+16(FP), DX
	MOVQ stride+24(FP), R10
	MOVQ n+32(FP), CX
	SHLQ $2, R10
	LEAQ (DX)(R10*2), R8
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7

rowLoop:
	VBROADCASTSS (SI), Y8
	VFMADD231PS (DX), Y8, Y0
	VFMADD231PS 32(DX), Y8, Y1
	VFMADD231PS (DX)(R10*1), Y8, Y2
	VFMADD231PS 32(DX)(R10*1), Y8, Y3
	VFMADD231PS (R8), Y8, Y4
	VFMADD231PS 32(R8), Y8, Y5
	VFMADD231PS (R8)(R10*1), Y8, Y6
	VFMADD231PS 32(R8)(R10*1), Y8, Y7
	ADDQ $4, SI
	ADDQ $64, DX
	ADDQ $64, R8
	DECQ CX
	JNZ  rowLoop

	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	VMOVUPS Y4, 128(DI)
	VMOVUPS Y5, 160(DI)
	VMOVUPS Y6, 192(DI)
	VMOVUPS Y7, 224(DI)
	VZEROUPPER
	RET

// func combineVector(dst *float32, columns int, rows *float32, stride int, weights *float32, weightStride int, n int, alpha float32)
// Sixteen columns at a time: Y0 and Y1 sum the even rows, Y2 and Y3 the odd ones.
TEXT ·combineVector(SB), NOSPLIT, $0-60
	MOVQ dst+0(FP), DI
	MOVQ columns+8(FP), BX
	MOVQ rows+16(FP), R11
	MOVQ stride+24(FP), R9
	MOVQ weightStride+40(FP), R10
	SHLQ $2, R9
	SHLQ $2, R10
	VBROADCASTSS alpha+56(FP), Y10

combineColumns:
	MOVQ R11, SI
	MOVQ weights+32(FP), DX
	MOVQ n+48(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ $2, CX
	JLT  combineLast

combinePair:
	VBROADCASTSS (DX), Y8
	VBROADCASTSS (DX)(R10*1), Y9
	VFMADD231PS (SI), Y8, Y0
	VFMADD231PS 32(SI), Y8, Y1
	VFMADD231PS (SI)(R9*1), Y9, Y2
	VFMADD231PS 32(SI)(R9*1), Y9, Y3
	LEAQ (SI)(R9*2), SI
	LEAQ (DX)(R10*2), DX
	SUBQ $2, CX
	JGE  combinePair

combineLast:
	ADDQ $2, CX
	JZ   combineStore
	VBROADCASTSS (DX), Y8
	VFMADD231PS (SI), Y8, Y0
	VFMADD231PS 32(SI), Y8, Y1

combineStore:
	VADDPS Y2, Y0, Y0
	VADDPS Y3, Y1, Y1
	VMOVUPS (DI), Y8
	VMOVUPS 32(DI), Y9
	VFMADD231PS Y0, Y10, Y8
	VFMADD231PS Y1, Y10, Y9
	VMOVUPS Y8, (DI)
	VMOVUPS Y9, 32(DI)
	ADDQ $64, DI
	ADDQ $64, R11
	SUBQ $16, BX
	JG   combineColumns
	VZEROUPPER
	RET

// func gatherVector(dst *float32, from *float32, width int, chosen *int32, scales *float32, n int)
TEXT ·gatherVector(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ from+8(FP), R8
	MOVQ width+16(FP), R9
	MOVQ chosen+24(FP), R10
	MOVQ scales+32(FP), R11
	MOVQ n+40(FP), CX
	SHLQ $2, R9

gatherRow:
	MOVLQSX (R10), SI
	IMULQ R9, SI
	ADDQ R8, SI
	VBROADCASTSS (R11), Y8
	MOVQ R9, BX

gatherColumns:
	VMULPS (SI), Y8, Y0
	VMULPS 32(SI), Y8, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $64, BX
	JG   gatherColumns

	ADDQ $4, R10
	ADDQ $4, R11
	DECQ CX
	JNZ  gatherRow
	VZEROUPPER
	RET

// func largeVector(dst *float32, dstStride int, a *float32, aStride int, panels *float32, panelStride int, n int)
// Z0 to Z15 are the block, two registers a row; Z16 and Z17 a row of the panels; Z18 to Z25 a number of a, broadcast.
TEXT ·largeVector(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), R8
	MOVQ a+16(FP), SI
	MOVQ aStride+24(FP), R9
	MOVQ panels+32(FP), DX
	MOVQ panelStride+40(FP), R10
	MOVQ n+48(FP), CX
	SHLQ $2, R8
	SHLQ $2, R9
	SHLQ $2, R10
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	VPXORQ Z4, Z4, Z4
	VPXORQ Z5, Z5, Z5
	VPXORQ Z6, Z6, Z6
	VPXORQ Z7, Z7, Z7
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15

largeLoop:
	VMOVUPS (DX), Z16
	VMOVUPS (DX)(R10*1), Z17
	VBROADCASTSS (SI), Z18
	VFMADD231PS Z16, Z18, Z0
	VFMADD231PS Z17, Z18, Z1
	VBROADCASTSS 4(SI), Z19
	VFMADD231PS Z16, Z19, Z2
	VFMADD231PS Z17, Z19, Z3
	VBROADCASTSS 8(SI), Z20
	VFMADD231PS Z16, Z20, Z4
	VFMADD231PS Z17, Z20, Z5
	VBROADCASTSS 12(SI), Z21
	VFMADD231PS Z16, Z21, Z6
	VFMADD231PS Z17, Z21, Z7
	VBROADCASTSS 16(SI), Z22
	VFMADD231PS Z16, Z22, Z8
	VFMADD231PS Z17, Z22, Z9
	VBROADCASTSS 20(SI), Z23
	VFMADD231PS Z16, Z23, Z10
	VFMADD231PS Z17, Z23, Z11
	VBROADCASTSS 24(SI), Z24
	VFMADD231PS Z16, Z24, Z12
	VFMADD231PS Z17, Z24, Z13
	VBROADCASTSS 28(SI), Z25
	VFMADD231PS Z16, Z25, Z14
	VFMADD231PS Z17, Z25, Z15
	ADDQ R9, SI
	ADDQ $64, DX
	DECQ CX
	JNZ  largeLoop

#define STORE_ROW(low, high) \
	VMOVUPS low, (DI)          \
	VMOVUPS high, 64(DI)       \
	ADDQ R8, DI
	STORE_ROW(Z0, Z1)
	STORE_ROW(Z2, Z3)
	STORE_ROW(Z4, Z5)
	STORE_ROW(Z6, Z7)
	STORE_ROW(Z8, Z9)
	STORE_ROW(Z10, Z11)
	STORE_ROW(Z12, Z13)
	STORE_ROW(Z14, Z15)
	VZEROUPPER
	RET
