package model

import (
	"errors"
	"fmt"
	"math"

	"recsys/shared/learn/model/pickle"
)

// tensor is a tensor's place in a storage, in elements. checkpoint.floats reads its values.
type tensor struct {
	storage       storageID
	offset        int
	shape, stride []int
}

// storageID is the persistent id of a storage: ("storage", class, key, device, elements[, view]).
type storageID struct{ class, key string }

// elementWidth is the bytes per element of the storage classes.
var elementWidth = map[string]int{
	"FloatStorage": 4, "DoubleStorage": 8, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8,
	"IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1,
}

var errNoTensor = errors.New("not a tensor")

// tensorOf reads a rebuilt tensor or parameter: (storage, offset, shape, stride, …).
func tensorOf(v any) (tensor, error) {
	if t, ok := v.(tensor); ok { // of a safetensors file
		return t, nil
	}
	object, ok := v.(*pickle.Object)
	if ok && object.Class.Name == "_rebuild_parameter" && len(object.Args) > 0 {
		object, ok = object.Args[0].(*pickle.Object)
	}
	if !ok || object.Class.Module != "torch._utils" || len(object.Args) < 4 {
		return tensor{}, errNoTensor
	}
	var t tensor
	var err error
	if t.storage, err = storageOf(object.Args[0]); err != nil {
		return tensor{}, err
	}
	offset, err := sizes(pickle.Tuple{object.Args[1]})
	if err != nil {
		return tensor{}, err
	}
	t.offset = offset[0]
	if t.shape, err = sizes(object.Args[2]); err != nil {
		return tensor{}, err
	}
	if t.stride, err = sizes(object.Args[3]); err != nil {
		return tensor{}, err
	}
	if len(t.stride) != len(t.shape) || t.elements() > MaxModelBytes {
		return tensor{}, errNoTensor
	}
	return t, nil
}

func storageOf(v any) (storageID, error) {
	persistent, _ := v.(pickle.Persistent)
	id, _ := persistent.ID.(pickle.Tuple)
	if len(id) < 5 || id[0] != "storage" || len(id) > 5 && id[5] != nil {
		return storageID{}, errNoTensor
	}
	class, ok1 := id[1].(pickle.Class)
	key, ok2 := id[2].(string)
	if !ok1 || !ok2 || elementWidth[class.Name] == 0 {
		return storageID{}, errNoTensor
	}
	return storageID{class.Name, key}, nil
}

// sizes reads a tuple of at most 8 whole numbers from 0 to MaxModelBytes.
func sizes(v any) ([]int, error) {
	if object, ok := v.(*pickle.Object); ok && object.Class.Name == "Size" && len(object.Args) == 1 {
		v = object.Args[0]
	}
	tuple, ok := v.(pickle.Tuple)
	if !ok || len(tuple) > 8 {
		return nil, errNoTensor
	}
	numbers := make([]int, len(tuple))
	for i, v := range tuple {
		n, ok := v.(int64)
		if !ok || n < 0 || n > MaxModelBytes {
			return nil, errNoTensor
		}
		numbers[i] = int(n)
	}
	return numbers, nil
}

// elements is the product of the shape, or more than MaxModelBytes where it would be.
func (t tensor) elements() int {
	n := 1
	for _, size := range t.shape {
		if n *= size; n > MaxModelBytes {
			return n
		}
	}
	return n
}

// floats reads a vector or a matrix row by row, for any strides.
func (c *checkpoint) floats(t tensor) ([]float32, error) {
	raw, err := c.storage(t.storage.key)
	if err != nil {
		return nil, fmt.Errorf("reading its storage: %w", err)
	}
	width := elementWidth[t.storage.class]
	if t.elements() > len(raw)/width {
		return nil, fmt.Errorf("%d numbers in a storage of %d bytes", t.elements(), len(raw))
	}
	at, err := c.reader(t.storage.class)
	if err != nil {
		return nil, err
	}
	rows, columns, rowStride, columnStride := 1, t.shape[0], 0, t.stride[0]
	if len(t.shape) == 2 {
		rows, columns, rowStride, columnStride = t.shape[0], t.shape[1], t.stride[0], t.stride[1]
	}
	if last := t.offset + (rows-1)*rowStride + (columns-1)*columnStride; last >= len(raw)/width {
		return nil, fmt.Errorf("a tensor that reaches beyond its storage of %d bytes", len(raw))
	}
	values := make([]float32, 0, rows*columns)
	for r := range rows {
		for k := range columns {
			x := at(raw[(t.offset+r*rowStride+k*columnStride)*width:])
			if !isFinite(float64(x)) {
				return nil, errors.New("a weight that is no finite number")
			}
			values = append(values, x)
		}
	}
	return values, nil
}

// reader returns how to read one element of a storage, widened or rounded to float32.
func (c *checkpoint) reader(class string) (func([]byte) float32, error) {
	switch class {
	case "FloatStorage":
		return func(b []byte) float32 { return math.Float32frombits(c.order.Uint32(b)) }, nil
	case "DoubleStorage":
		return func(b []byte) float32 { return float32(math.Float64frombits(c.order.Uint64(b))) }, nil
	case "HalfStorage":
		return func(b []byte) float32 { return float16(c.order.Uint16(b)) }, nil
	case "BFloat16Storage": // the upper half of a float32
		return func(b []byte) float32 { return math.Float32frombits(uint32(c.order.Uint16(b)) << 16) }, nil
	}
	return nil, fmt.Errorf("weights in a torch.%s: float64, float32, float16 and bfloat16 are read, so call model.float() before saving", class)
}

// float16 returns the value of a number in IEEE 754's binary16, which float32 holds exactly.
func float16(bits uint16) float32 {
	sign := uint32(bits>>15) << 31
	exponent, fraction := uint32(bits>>10)&0x1f, uint32(bits)&0x3ff
	switch exponent {
	case 0: // zero and the subnormal numbers, which are multiples of 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinite, or no number
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
