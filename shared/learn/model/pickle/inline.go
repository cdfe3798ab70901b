package pickle

// Inline returns the replacement for an object that has just got its state, if bytes outside of the opcodes follow it.
// Otherwise it returns the object itself. This is how joblib writes arrays.
type Inline func(o *Object, content *Content) (any, error)

// Content is the input after an object's state. The pickle continues behind the bytes that were read.
type Content struct{ m *machine }

// Read takes the next n bytes. They share the input's memory.
func (c *Content) Read(n int) ([]byte, error) {
	if n < 0 {
		return nil, c.m.malformed("a negative length")
	}
	return c.m.read(n)
}

// Decode reads a pickle of its own, within the rest of the limits. It may hold no inline content.
func (c *Content) Decode() (any, error) {
	inner := machine{
		data: c.m.data, at: c.m.at, limits: c.m.limits, allowed: c.m.allowed, memo: map[uint32]any{},
		memory: c.m.memory, operations: c.m.operations,
	}
	value, err := inner.run()
	c.m.at, c.m.memory, c.m.operations = inner.at, inner.memory, inner.operations
	return value, err
}

// DecodeInline is Decode for a pickle with content between its opcodes.
func DecodeInline(data []byte, limits Limits, allowed func(Class) bool, inline Inline) (value any, rest []byte, err error) {
	return decode(data, limits, allowed, inline)
}

// replace puts the given value in the place of the object at the top of the stack.
func (m *machine) replace(object *Object) error {
	if m.inline == nil {
		return nil
	}
	value, err := m.inline(object, &Content{m})
	if err != nil {
		return err
	}
	m.stack[len(m.stack)-1] = value
	return nil
}
