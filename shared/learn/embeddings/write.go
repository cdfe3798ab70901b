package embeddings

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"recsys/shared/contract/shape"
)

// Write writes a file of embeddings: that of ids[i] is vectors[i*dimension:(i+1)*dimension]. A vector of zeros is left
// out, because it points nowhere and no index holds it. Write returns how many it has written. The shortest digits that
// make the same float32 lose nothing. The ids are those of customers or products as the training data has them, of any
// characters. Texts stand in quotes, since they may hold a comma or a line's end. Errors are w's.
func Write(w io.Writer, ids []string, of shape.Type, vectors []float32, dimension int) (written int, err error) {
	buffered := bufio.NewWriterSize(w, 64<<10)
	line := []byte("id,embedding\n")
	for i, id := range ids {
		vector := vectors[i*dimension : (i+1)*dimension]
		if isZero(vector) {
			continue
		}
		line = appendVectorLine(line, id, of, vector)
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

func appendVectorLine(line []byte, id string, of shape.Type, vector []float32) []byte {
	if of.Whole() {
		line = append(line, id...)
	} else {
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
