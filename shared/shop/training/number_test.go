package training

import (
	"math"
	"testing"

	"github.com/parquet-go/parquet-go"

	"recsys/shared/contract/shape"
)

// Number gives back the number that a source's text has.
func TestNumber(t *testing.T) {
	for _, test := range []struct {
		of   shape.Type
		text string
		want float64
	}{
		{shape.Int, "-7", -7}, {shape.BigInt, "4294967296", 4294967296}, {shape.Double, "2.5e-3", 0.0025},
		{shape.Money, "19.99", 19.99}, {"decimal(5,0)", "-12", -12}, {"decimal(18,4)", "-3.1416", -3.1416},
		{"decimal(30,2)", "-123456789012345678901.25", -123456789012345678901.25}, {"decimal(30,2)", "0.5", 0.5},
	} {
		value, fits := parse(shape.Column{Role: shape.Number, Type: test.of}, test.text)
		if got := Number(test.of, value); !fits || got != test.want {
			t.Errorf("%s of %s is %v, want %v", test.text, test.of, got, test.want)
		}
	}
	if got := Number(shape.Money, parquet.NullValue()); !math.IsNaN(got) {
		t.Errorf("NULL is %v", got)
	}
	if got := Number(shape.Text, parquet.ValueOf("7")); !math.IsNaN(got) {
		t.Errorf("a text is %v", got)
	}
}
