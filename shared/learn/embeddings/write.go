package embeddings

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Write writes a file of embeddings: that of ids[i] is vectors[i*dimension:(i+1)*dimension]. A vector of zeros is left
// out, because it points nowhere and no index holds it. Write returns how many it has written. The shortest digits that
// make the same float32 lose nothing. An id is a customer's number or a product's code as the training data has it, of
// any characters. Errors are w's.
func Write[ID int32 | string](w io.Writer, ids []ID, vectors []float32, dimension int) (written int, err error) {
	buffered := bufio.NewWriterSize(w, 64<<10)
	line := []byte("id,embedding\n")
	for i, id := range ids {
		vector := vectors[i*dimension : (i+1)*dimension]
		if isZero(vector) {
			continue
		}
		line = appendVectorLine(line, id, vector)
		if _, err := buffered.Write(line); err != nil {
			return written, fmt.Errorf("writing embeddings: %w", err)
		}
		line, written = line[:0], written+1
	}
	if _, err := buffered.Write(line); err != nil { // the header, where there is nothing else
		return written, fmt.Errorf("writing embeddings: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return written, fmt.Errorf("writing embeddings: %w", err)
	}
	return written, nil
}

func appendVectorLine[ID int32 | string](line []byte, id ID, vector []float32) []byte {
	switch id := any(id).(type) {
	case int32:
		line = strconv.AppendInt(line, int64(id), 10)
	case string: // in quotes, since it may hold a comma or a line's end
		line = append(append(append(line, '"'), strings.ReplaceAll(id, `"`, `""`)...), '"')
	}
	line = append(line, `,"[`...)
	for k, number := range vector {
		if k > 0 {
			line = append(line, ',')
		}
		line = strconv.AppendFloat(line, float64(number), 'g', -1, 32)
	}
	return append(line, "]\"\n"...)
}

// isZero reports a vector that a Reader refuses because it has no direction.
func isZero(vector []float32) bool {
	var square float32
	for _, number := range vector {
		square += number * number
	}
	return square == 0
}
