// Runs a plugin made with the reference library's skel and prints how it answered: observed.json.
//
//	(cd src/cni/testdata/skel && go run . > observed.json) && npm run format
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"
)

type call struct {
	Name        string            `json:"name"`
	Environment map[string]string `json:"environment"`
	Stdin       string            `json:"stdin"`
}

type observed struct {
	// The verb that was called; none if the call was refused.
	Called string `json:"called,omitempty"`
	Exit   int    `json:"exit"`
	Code   uint   `json:"code,omitempty"`
	Answer string `json:"answer,omitempty"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// plugin is the same as in the test: it supports 0.3.1 to 1.1.0, and every verb succeeds but says that it was called.
func plugin() {
	verb := func(name string) func(*skel.CmdArgs) error {
		return func(args *skel.CmdArgs) error {
			fmt.Fprintf(os.Stderr, "called %s", name)
			if strings.Contains(args.Args, "FAIL=code") {
				return types.NewError(111, "failed", "on purpose")
			}
			if strings.Contains(args.Args, "FAIL=plain") {
				return fmt.Errorf("failed")
			}
			return nil
		}
	}
	skel.PluginMainFuncs(skel.CNIFuncs{
		Add: verb("ADD"), Del: verb("DEL"), Check: verb("CHECK"), GC: verb("GC"), Status: verb("STATUS"),
	}, version.PluginSupports("0.3.1", "0.4.0", "1.0.0", "1.1.0"), "")
}

func main() {
	if os.Getenv("SKEL_PLUGIN") != "" {
		plugin()
		return
	}
	text, err := os.ReadFile("calls.json")
	check(err)
	var calls []call
	check(json.Unmarshal(text, &calls))
	all := map[string]observed{}
	for _, c := range calls {
		all[c.Name] = run(c)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	check(encoder.Encode(all))
}

func run(c call) (o observed) {
	command := exec.Command("/proc/self/exe")
	// The namespaces of the calls do not exist; skel's own check of them is not what is compared.
	command.Env = []string{"SKEL_PLUGIN=1", "CNI_NETNS_OVERRIDE=1"}
	for name, value := range c.Environment {
		command.Env = append(command.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(c.Stdin), &stdout, &stderr
	_ = command.Run()
	o.Exit = command.ProcessState.ExitCode()
	o.Called = strings.TrimPrefix(stderr.String(), "called ")
	var e types.Error
	if o.Exit != 0 {
		check(json.Unmarshal(stdout.Bytes(), &e))
		o.Code = e.Code
	} else {
		o.Answer = stdout.String()
	}
	return o
}
