// Go's own verdicts: lines of hex on standard input; for each the nanoseconds that time.ParseDuration gives, or "-".
// How types_go.txt was made: tests/integration/types/schema_types.py --go GO.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"time"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		text, err := hex.DecodeString(lines.Text())
		if err != nil {
			panic(err)
		}
		duration, err := time.ParseDuration(string(text))
		if err != nil {
			fmt.Println("-")
		} else {
			fmt.Println(int64(duration))
		}
	}
}
