// Runs the scenarios with libcni and prints what it did: how it called the plugins, what came back, what it kept.
//
//	(cd src/cni/testdata/runtime && go run . > observed.json) && npm run format
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

type answer struct {
	Print string `json:"print"`
	Fails bool   `json:"fails"`
}

type attachment struct {
	ContainerID    string                 `json:"containerId"`
	IfName         string                 `json:"ifname"`
	NetNS          string                 `json:"netns"`
	Args           [][2]string            `json:"args"`
	CapabilityArgs map[string]interface{} `json:"capabilityArgs"`
}

type step struct {
	Operation  string               `json:"operation"`
	List       int                  `json:"list"`
	Attachment int                  `json:"attachment"`
	Valid      []types.GCAttachment `json:"valid"`
	Answers    map[string]answer    `json:"answers"`
	Text       string               `json:"text"`
}

type scenario struct {
	Name        string              `json:"name"`
	Folders     map[string][]string `json:"folders"`
	Lists       []json.RawMessage   `json:"lists"`
	Attachments []attachment        `json:"attachments"`
	Answers     map[string]answer   `json:"answers"`
	Steps       []step              `json:"steps"`
}

type call struct {
	Plugin    string            `json:"plugin"`
	Variables map[string]string `json:"variables"`
	Stdin     json.RawMessage   `json:"stdin"`
}

type observed struct {
	Calls        []call            `json:"calls"`
	Failed       bool              `json:"failed"`
	Code         uint              `json:"code,omitempty"`
	Message      string            `json:"message,omitempty"`
	Result       types.Result      `json:"result,omitempty"`
	Capabilities []string          `json:"capabilities,omitempty"`
	Cache        map[string]string `json:"cache"`
}

type record struct {
	// The lists' texts, byte for byte: the cache keeps them.
	Lists []string   `json:"lists"`
	Steps []observed `json:"steps"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	text, err := os.ReadFile("scenarios.json")
	check(err)
	var scenarios []scenario
	check(json.Unmarshal(text, &scenarios))
	all := map[string]record{}
	for _, s := range scenarios {
		r := record{Steps: play(s)}
		for _, list := range s.Lists {
			r.Lists = append(r.Lists, string(list))
		}
		all[s.Name] = r
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	check(encoder.Encode(all))
}

func play(s scenario) []observed {
	dir, err := os.MkdirTemp("", "libcni-")
	check(err)
	defer os.RemoveAll(dir)
	check(os.Setenv("RECORDER", dir))
	check(os.Mkdir(filepath.Join(dir, "answers"), 0o700))
	recorder, err := os.ReadFile("recorder.sh")
	check(err)
	paths := []string{}
	for folder, plugins := range s.Folders {
		paths = append(paths, filepath.Join(dir, folder))
		check(os.Mkdir(filepath.Join(dir, folder), 0o700))
		for _, plugin := range plugins {
			check(os.WriteFile(filepath.Join(dir, folder, plugin), recorder, 0o700))
		}
	}
	sort.Strings(paths)
	give(dir, s.Answers)
	cni := libcni.NewCNIConfigWithCacheDir(paths, filepath.Join(dir, "cache"), nil)
	steps := []observed{}
	for _, st := range s.Steps {
		give(dir, st.Answers)
		o := run(cni, dir, s, st)
		o.Calls = calls(dir)
		o.Cache = cache(dir)
		steps = append(steps, o)
	}
	return steps
}

func give(dir string, answers map[string]answer) {
	for name, a := range answers {
		file := filepath.Join(dir, "answers", name)
		check(os.WriteFile(file, []byte(a.Print), 0o600))
		if a.Fails {
			check(os.WriteFile(file+".fails", nil, 0o600))
		} else {
			_ = os.Remove(file + ".fails")
		}
	}
}

func run(cni *libcni.CNIConfig, dir string, s scenario, st step) (o observed) {
	var rt libcni.RuntimeConf
	if len(s.Attachments) > 0 {
		a := s.Attachments[st.Attachment]
		rt = libcni.RuntimeConf{ContainerID: a.ContainerID, IfName: a.IfName, NetNS: a.NetNS, Args: a.Args, CapabilityArgs: a.CapabilityArgs}
	}
	list, err := libcni.NetworkConfFromBytes(s.Lists[st.List])
	check(err)
	ctx := context.Background()
	switch st.Operation {
	case "ADD":
		o.Result, err = cni.AddNetworkList(ctx, list, &rt)
	case "CHECK":
		err = cni.CheckNetworkList(ctx, list, &rt)
	case "DEL":
		err = cni.DelNetworkList(ctx, list, &rt)
	case "GC":
		err = cni.GCNetworkList(ctx, list, &libcni.GCArgs{ValidAttachments: st.Valid})
	case "STATUS":
		err = cni.GetStatusNetworkList(ctx, list)
	case "VALIDATE":
		o.Capabilities, err = cni.ValidateNetworkList(ctx, list)
		sort.Strings(o.Capabilities)
	case "CACHED":
		o.Result, err = cni.GetNetworkListCachedResult(list, &rt)
	case "KEEP":
		file := filepath.Join(dir, "cache", "results", fmt.Sprintf("%s-%s-%s", list.Name, rt.ContainerID, rt.IfName))
		check(os.MkdirAll(filepath.Dir(file), 0o700))
		check(os.WriteFile(file, []byte(st.Text), 0o600))
	default:
		panic(st.Operation)
	}
	if err != nil {
		o.Failed = true
		o.Message = strings.ReplaceAll(err.Error(), dir, "")
		var e *types.Error
		if errors.As(err, &e) {
			o.Code = e.Code
		}
	}
	return o
}

func calls(dir string) []call {
	file := filepath.Join(dir, "calls")
	text, err := os.ReadFile(file)
	_ = os.Remove(file)
	found := []call{}
	if err != nil {
		return found
	}
	lines := bytes.Split(bytes.ReplaceAll(text, []byte(dir), nil), []byte("\n"))
	names := []string{"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"}
	for ; len(lines) > 8; lines = lines[8:] {
		c := call{string(lines[0]), map[string]string{}, lines[7]}
		for i, name := range names {
			c.Variables[name] = string(lines[i+1])
		}
		found = append(found, c)
	}
	return found
}

func cache(dir string) map[string]string {
	kept := map[string]string{}
	entries, _ := os.ReadDir(filepath.Join(dir, "cache", "results"))
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, "cache", "results", entry.Name()))
		check(err)
		kept[entry.Name()] = string(text)
	}
	return kept
}
