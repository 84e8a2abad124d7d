// Command supervised is a program that the workload starts: it says what it can reach, and waits for SIGTERM.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const launcher = "/run/container_launcher/"

// reason is the error of the system, without what was being done.
func reason(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	return fmt.Sprint(err)
}

// orphan starts a process that loses its parent and ends, and says whether somebody has waited for it.
func orphan() string {
	number, err := exec.Command("/proc/self/exe", "parent").Output()
	if err != nil {
		return reason(err)
	}
	path := "/proc/" + strings.TrimSpace(string(number))
	for range 100 {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return "gone"
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "left"
}

func main() {
	switch strings.Join(os.Args[1:], " ") {
	case "parent":
		child := exec.Command("/proc/self/exe", "child")
		if err := child.Start(); err != nil {
			os.Exit(1)
		}
		fmt.Println(child.Process.Pid)
		return
	case "child":
		time.Sleep(200 * time.Millisecond)
		return
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	secret, err := os.ReadFile("/dev/shm/countersign/model-key")
	fmt.Println("secret:", string(secret), reason(err))
	fmt.Println("variable:", os.Getenv("API_TOKEN"))
	weights, _ := os.ReadFile("/proc/self/fd/" + os.Getenv("COUNTERSIGN_DESCRIPTOR_WEIGHTS"))
	fmt.Println("descriptor:", string(weights))
	_, err = os.ReadFile(launcher + "attestation_verifier_claims_token")
	fmt.Println("token:", reason(err))
	_, err = net.Dial("unix", launcher+"teeserver.sock")
	fmt.Println("socket:", reason(err))
	_, err = os.ReadFile("/proc/1/environ")
	fmt.Println("supervisor:", reason(err))
	fmt.Println("orphan:", orphan())
	fmt.Println("ready")
	<-terminated
	fmt.Println("terminated")
	os.Exit(7)
}
