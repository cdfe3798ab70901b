package stepfunctions

// Program is that of the child process.
var Program = program

// Idle returns the number of processes that wait for an execution.
func (e *Engine) Idle() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.idle)
}

// KillIdle ends them as a crash does.
func (e *Engine) KillIdle() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.idle {
		p.node.Kill()
	}
}
