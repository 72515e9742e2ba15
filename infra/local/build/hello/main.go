// Command hello is what the demo image runs: it says what it is and checks the data that came with it.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime"
)

func main() {
	path := "/data/map.bin"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	fmt.Printf("Hello from the edge: %s/%s\n", runtime.GOOS, runtime.GOARCH)
	data, err := os.ReadFile(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%s came with me: %d bytes, sha256:%x\n", path, len(data), sha256.Sum256(data))
}
