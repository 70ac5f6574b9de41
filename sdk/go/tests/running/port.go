package running

import (
	"strconv"
	"syscall"
)

// HeldAddress is one of this machine whose port the system gives to nobody until it is given back: it is bound, and nobody listens. Who connects is refused, until
// a server listens there that was told of it.
func HeldAddress() (string, func(), error) {
	held, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	back := func() { _ = syscall.Close(held) }
	if err := syscall.SetsockoptInt(held, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return "", back, err
	}
	if err := syscall.Bind(held, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", back, err
	}
	bound, err := syscall.Getsockname(held)
	if err != nil {
		return "", back, err
	}
	return "127.0.0.1:" + strconv.Itoa(bound.(*syscall.SockaddrInet4).Port), back, nil
}
