package numerals

import "testing"

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Figure(0.4726), "0.473"}, {Figure(0), "0.000"}, {Figure(0.0123), "0.012"}, {Figure(0.00321), "0.0032"},
		{Figure(0.000123), "0.00012"}, {Figure(1e-9), "0.000000"}, {Figure(-0.05), "−0.050"}, {Figure(1), "1.000"},
		{Signed(0.05), "+0.050"}, {Signed(-0.05), "−0.050"}, {Signed(0), "0.000"}, {Signed(-1e-9), "0.000000"},
		{Percent(0.1), "10 %"}, {Percent(1 - 0.9), "10 %"}, {Percent(0.075), "7.5 %"}, {Percent(0.05), "5 %"}, {Percent(0), "0 %"},
		{Percent(0.0042), "0.42 %"}, {Percent(1), "100 %"},
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(1234567), "1,234,567"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}
