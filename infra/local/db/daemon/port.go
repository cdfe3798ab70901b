package daemon

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

const (
	lowestPort   = 15000 // below it lie the ports of well-known servers
	portsToTry   = 100
	portRangeSet = "/proc/sys/net/ipv4/ip_local_port_range" // ip(7)
)

// FreePort finds a TCP port of the loopback interface that is free now. Another process may take it before the server
// does, so a caller whose server ends at once tries again. The port lies below those that the kernel hands out. Hence
// no connection and no listener that asks for any port can take it.
func FreePort() (int, error) {
	for range portsToTry {
		port := candidate()
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue // taken
		}
		port = listener.Addr().(*net.TCPAddr).Port
		return port, listener.Close()
	}
	return 0, fmt.Errorf("finding a free port of 127.0.0.1: %d of them were taken", portsToTry)
}

// candidate is a port that the kernel does not hand out, or 0 (any) where it hands out nearly all.
func candidate() int {
	text, err := os.ReadFile(portRangeSet)
	if err != nil {
		return 0
	}
	var low, high int
	if _, err := fmt.Sscan(string(text), &low, &high); err != nil || low-lowestPort < 1000 {
		return 0
	}
	return lowestPort + rand.IntN(low-lowestPort)
}
