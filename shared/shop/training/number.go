package training

import (
	"math"
	"math/big"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
)

// Number returns the value of a number's column: units, not the hundredths that a decimal is stored as. It is NaN for NULL
// and for a text.
func Number(of shape.Type, value parquet.Value) float64 {
	var units float64
	switch value.Kind() {
	case parquet.Double:
		return value.Double()
	case parquet.Int32, parquet.Int64:
		units = float64(wholeOf(value))
	case parquet.FixedLenByteArray:
		units = wide(value.ByteArray())
	default:
		return math.NaN()
	}
	if _, scale, decimal := digitsOf(of); decimal {
		return units / math.Pow10(scale)
	}
	return units
}

// wide reads a big-endian number in two's complement.
func wide(bytes []byte) float64 {
	number := new(big.Int).SetBytes(bytes)
	if len(bytes) > 0 && bytes[0]&0x80 != 0 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(8*len(bytes))))
	}
	units, _ := new(big.Float).SetInt(number).Float64()
	return units
}
