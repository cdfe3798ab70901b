package model

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"recsys/shared/learn/model/pickle"
)

// array is a one-dimensional NumPy array, as a pickle describes it.
type array struct {
	kind    byte // NumPy's: f, i, u, U or O
	width   int  // bytes of one element, for U of one 4-byte character
	order   binary.ByteOrder
	length  int
	data    []byte // the elements, of kinds other than O
	objects []any  // the elements of kind O
}

var errNoArray = errors.New("not a one-dimensional NumPy array")

// arrayOf reads an array pickled by ndarray.__reduce__ (a state), in protocol 5 by _frombuffer, or written by joblib.
func arrayOf(v any) (array, error) {
	object, ok := v.(*pickle.Object)
	if !ok {
		return array{}, errNoArray
	}
	switch object.Class.Name {
	case "_frombuffer": // buffer, dtype, shape, order. With one dimension C and Fortran order are the same
		if len(object.Args) == 4 {
			return newArray(object.Args[2], object.Args[1], object.Args[0])
		}
	case "NumpyArrayWrapper": // as inlineArray leaves it
		if len(object.Args) == 3 {
			return newArray(object.Args[0], object.Args[1], object.Args[2])
		}
	case "_reconstruct": // version, shape, dtype, is Fortran order, data
		if state, ok := object.State.(pickle.Tuple); ok && len(state) == 5 {
			return newArray(state[1], state[2], state[4])
		}
	}
	return array{}, errNoArray
}

func newArray(shape, dtype, data any) (array, error) {
	dimensions, ok := shape.(pickle.Tuple)
	if !ok || len(dimensions) != 1 {
		return array{}, errNoArray
	}
	length, ok := dimensions[0].(int64)
	if !ok || length < 0 || length > MaxScalerBytes {
		return array{}, errNoArray
	}
	a := array{length: int(length)}
	if err := a.setType(dtype); err != nil {
		return array{}, err
	}
	if list, ok := data.(*pickle.List); ok && a.kind == 'O' {
		a.objects = list.Items
		if len(a.objects) != a.length {
			return array{}, fmt.Errorf("an array of length %d with %d elements", a.length, len(a.objects))
		}
		return a, nil
	}
	a.data = bytesOf(data)
	if a.kind == 'O' || len(a.data) != a.length*a.width {
		return array{}, fmt.Errorf("an array of length %d with %d bytes", a.length, len(a.data))
	}
	return a, nil
}

// setType reads a pickled numpy.dtype: its short name, then a state whose second element is the byte order.
func (a *array) setType(v any) error {
	object, ok := v.(*pickle.Object)
	if !ok || object.Class.Name != "dtype" || len(object.Args) == 0 {
		return errNoArray
	}
	name, _ := object.Args[0].(string)
	name = strings.TrimLeft(name, "<>=|")
	if name == "" {
		return errNoArray
	}
	width, err := strconv.Atoi(name[1:])
	if err != nil || width < 1 || width > MaxScalerBytes {
		return fmt.Errorf("a NumPy array of type %.20q", name)
	}
	a.kind, a.width, a.order = name[0], width, binary.LittleEndian
	if a.kind == 'U' {
		a.width *= 4
	}
	if state, ok := object.State.(pickle.Tuple); ok && len(state) > 1 && state[1] == ">" {
		a.order = binary.BigEndian
	}
	return nil
}

// bytesOf undoes the way in which protocol 2, which has no bytes, writes them: _codecs.encode(text, "latin1").
func bytesOf(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case *pickle.Object:
		if v.Class.Name != "encode" || len(v.Args) == 0 {
			return nil
		}
		text, _ := v.Args[0].(string)
		b := make([]byte, 0, len(text))
		for _, r := range text {
			if r > 0xff {
				return nil
			}
			b = append(b, byte(r))
		}
		return b
	}
	return nil
}

// floats reads the array as numbers.
func (a array) floats() ([]float64, error) {
	numbers := make([]float64, a.length)
	for i := range numbers {
		switch b := a.element(i); {
		case a.kind == 'f' && a.width == 8:
			numbers[i] = math.Float64frombits(a.order.Uint64(b))
		case a.kind == 'f' && a.width == 4:
			numbers[i] = float64(math.Float32frombits(a.order.Uint32(b)))
		case a.kind == 'i' && a.width == 8:
			numbers[i] = float64(int64(a.order.Uint64(b)))
		default:
			return nil, fmt.Errorf("numbers of NumPy type %c%d: float64, float32 and int64 are read", a.kind, a.width)
		}
	}
	return numbers, nil
}

// texts reads the array as texts. An element that is no text (None, NaN) comes with ok false.
func (a array) texts() (texts []string, ok []bool, err error) {
	texts, ok = make([]string, a.length), make([]bool, a.length)
	for i := range texts {
		switch a.kind {
		case 'O':
			if texts[i], ok[i] = a.objects[i].(string); !ok[i] && !isMissing(a.objects[i]) {
				return nil, nil, fmt.Errorf("element %d is no text", i)
			}
		case 'U':
			texts[i], ok[i] = a.text(i), true
		default:
			return nil, nil, fmt.Errorf("a NumPy array of type %c%d, not of texts", a.kind, a.width)
		}
	}
	return texts, ok, nil
}

func isMissing(v any) bool {
	f, isFloat := v.(float64)
	return v == nil || isFloat && math.IsNaN(f)
}

func (a array) element(i int) []byte {
	if a.kind == 'O' {
		return nil
	}
	return a.data[i*a.width : (i+1)*a.width]
}

// text decodes UCS-4, padded with zeros.
func (a array) text(i int) string {
	var text strings.Builder
	for b := a.element(i); len(b) > 0; b = b[4:] {
		r := rune(a.order.Uint32(b))
		if r == 0 {
			break
		}
		text.WriteRune(r)
	}
	return text.String()
}
