package model

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"recsys/shared/contract/lake"
	"recsys/shared/learn/model/pickle"
)

// A safetensors file is the length of a header in 8 bytes, the header as JSON (a type, a shape and a place for each name),
// and the numbers. Spec: https://github.com/huggingface/safetensors#format

// maxHeader bounds the header, in bytes: a thousand layers take about a tenth of it.
const maxHeader = 2 << 20

// storageClasses are PyTorch's storages by the types of safetensors.
var storageClasses = map[string]string{
	"F32": "FloatStorage", "F64": "DoubleStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage",
	"I64": "LongStorage", "I32": "IntStorage", "I16": "ShortStorage", "I8": "CharStorage", "U8": "ByteStorage", "BOOL": "BoolStorage",
}

// placedTensor is a tensor's entry in the header.
type placedTensor struct {
	Type    string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"` // from the header's end on
}

// openSafetensors reads the header. The names come sorted: the file does not keep the order of the layers.
func openSafetensors(data []byte) (*checkpoint, error) {
	const advice = `save the weights alone: safetensors.torch.save_file(model.state_dict(), "best_model.safetensors")`
	if len(data) < 8 || binary.LittleEndian.Uint64(data) > uint64(min(maxHeader, len(data)-8)) {
		if err := sniff(lake.SafetensorsKey, data, MaxModelBytes, advice); err != nil {
			return nil, err
		}
		return nil, &Unsupported{lake.SafetensorsKey, "no safetensors header", advice}
	}
	length := int(binary.LittleEndian.Uint64(data))
	header, numbers := data[8:8+length], data[8+length:]
	var tensors map[string]json.RawMessage
	if err := json.Unmarshal(header, &tensors); err != nil {
		return nil, invalid(lake.SafetensorsKey, "reading the header: %w", err)
	}
	c := &checkpoint{order: binary.LittleEndian, unordered: true}
	root, places := &pickle.Dict{}, map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		if name == "__metadata__" {
			continue
		}
		t, place, err := tensorAt(name, tensors[name], numbers)
		if err != nil {
			return nil, invalid(lake.SafetensorsKey, "reading the tensor %.60q: %w", name, err)
		}
		root.Items = append(root.Items, pickle.Item{Key: name, Value: t})
		places[name] = place
	}
	c.root = root
	c.storage = func(name string) ([]byte, error) { return places[name], nil }
	return c, nil
}

// tensorAt returns a tensor and its bytes.
func tensorAt(name string, description json.RawMessage, numbers []byte) (tensor, []byte, error) {
	var placed placedTensor
	if err := json.Unmarshal(description, &placed); err != nil {
		return tensor{}, nil, err
	}
	class, known := storageClasses[placed.Type]
	if !known {
		return tensor{}, nil, fmt.Errorf("the type %.20q: F64, F32, F16 and BF16 are read", placed.Type)
	}
	t := tensor{storage: storageID{class, name}, stride: make([]int, len(placed.Shape))}
	for _, size := range placed.Shape {
		if size < 0 || size > MaxModelBytes || len(placed.Shape) > 8 {
			return tensor{}, nil, fmt.Errorf("a shape that is too large")
		}
		t.shape = append(t.shape, int(size))
	}
	stride := 1
	for i := len(t.shape) - 1; i >= 0; i-- {
		t.stride[i] = stride
		stride = min(stride*max(t.shape[i], 1), MaxModelBytes)
	}
	from, to := placed.Offsets[0], placed.Offsets[1]
	if from < 0 || to < from || to > int64(len(numbers)) || to-from != int64(t.elements())*int64(elementWidth[class]) {
		return tensor{}, nil, fmt.Errorf("its place, bytes %d to %d of %d, does not fit its shape", from, to, len(numbers))
	}
	return t, numbers[from:to:to], nil
}
