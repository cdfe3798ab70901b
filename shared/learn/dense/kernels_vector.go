//go:build !purego && (amd64 || arm64)

package dense

// The kernels in assembly. Lengths and strides are in numbers, and n > 0. columns and width are multiples of Lanes.

//go:noescape
func tileVector(dst *float32, dstStride int, a *float32, aStride int, b *float32, bStride int, n int, alpha float32)

//go:noescape
func rowVector(dst *float32, x *float32, panels *float32, stride int, n int)

//go:noescape
func combineVector(dst *float32, columns int, rows *float32, stride int, weights *float32, weightStride int, n int, alpha float32)

//go:noescape
func gatherVector(dst *float32, from *float32, width int, chosen *int32, scales *float32, n int)
