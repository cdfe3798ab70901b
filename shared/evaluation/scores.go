package evaluation

// tile is how many items are compared with all customers of a block before the next: 32 KB at 32 dimensions, which
// stay in the nearest cache.
const tile = 256

// scores fills dst, row-major, with the inner products of each row of users with each row of items.
func scores(dst, users, items []float32, dimension int) {
	width := len(items) / dimension
	for from := 0; from < width; from += tile {
		to := min(from+tile, width)
		for u := 0; u*dimension < len(users); u++ {
			user := users[u*dimension : (u+1)*dimension]
			row := dst[u*width : (u+1)*width]
			i := from
			for ; i+4 <= to; i += 4 {
				row[i], row[i+1], row[i+2], row[i+3] = dot4(user, items[i*dimension:(i+4)*dimension])
			}
			for ; i < to; i++ {
				row[i] = dot(user, items[i*dimension:(i+1)*dimension])
			}
		}
	}
}

// dot4 is four inner products at once: the four sums do not wait for one another.
func dot4(a, four []float32) (s0, s1, s2, s3 float32) {
	n := len(a)
	b0, b1, b2, b3 := four[:n], four[n:][:n], four[2*n:][:n], four[3*n:][:n]
	for k, x := range a {
		s0 += x * b0[k]
		s1 += x * b1[k]
		s2 += x * b2[k]
		s3 += x * b3[k]
	}
	return s0, s1, s2, s3
}

func dot(a, b []float32) (s float32) {
	b = b[:len(a)]
	for k, x := range a {
		s += x * b[k]
	}
	return s
}
