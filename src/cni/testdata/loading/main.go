// Loads networks from folders with libcni and prints what it found: observed.json.
//
//	(cd src/cni/testdata/loading && go run . > observed.json) && npm run format
package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
)

type folder struct {
	Name  string            `json:"name"`
	Files map[string]string `json:"files"`
}

type observed struct {
	Found        bool     `json:"found"`
	Error        string   `json:"error,omitempty"`
	CNIVersion   string   `json:"cniVersion,omitempty"`
	DisableCheck bool     `json:"disableCheck,omitempty"`
	DisableGC    bool     `json:"disableGC,omitempty"`
	Plugins      []string `json:"plugins,omitempty"`
	Bytes        string   `json:"bytes,omitempty"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	text, err := os.ReadFile("folders.json")
	check(err)
	var folders []folder
	check(json.Unmarshal(text, &folders))
	all := map[string]observed{}
	for _, f := range folders {
		all[f.Name] = load(f)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	check(encoder.Encode(all))
}

// load looks for the network "net" in a folder with these files.
func load(f folder) observed {
	dir, err := os.MkdirTemp("", "libcni-")
	check(err)
	defer os.RemoveAll(dir)
	for name, text := range f.Files {
		file := filepath.Join(dir, name)
		check(os.MkdirAll(filepath.Dir(file), 0o700))
		check(os.WriteFile(file, []byte(text), 0o600))
	}
	list, err := libcni.LoadNetworkConf(dir, "net")
	if err != nil {
		return observed{Error: strings.ReplaceAll(err.Error(), dir, "net.d")}
	}
	o := observed{true, "", list.CNIVersion, list.DisableCheck, list.DisableGC, nil, string(list.Bytes)}
	for _, plugin := range list.Plugins {
		o.Plugins = append(o.Plugins, plugin.Network.Type)
	}
	return o
}
