// Prints what the reference library makes of results in every version: results.json.
//
//	(cd src/cni/testdata/results && go run . > results.json) && npm run format
package main

import (
	"bytes"
	"encoding/json"
	"os"

	"github.com/containernetworking/cni/pkg/types/create"
)

var versions = []string{"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"}

var inputs = []string{
	// Everything there is.
	`{"cniVersion":"1.1.0","interfaces":[{"name":"cni0","mac":"00:11:22:33:44:55","mtu":1500},{"name":"veth3243","mac":"55:44:33:22:11:11"},{"name":"eth0","mac":"99:88:77:66:55:44","mtu":9000,"sandbox":"/var/run/netns/blue","socketPath":"/run/s.sock","pciID":"0000:00:1f.6"}],"ips":[{"address":"10.1.0.5/16","gateway":"10.1.0.1","interface":2},{"address":"10.2.0.5/16","interface":0},{"address":"fd00:0:0::5/64","gateway":"fd00::1","interface":2}],"routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0","gw":"FD00::1"},{"dst":"10.9.0.0/16","gw":"10.1.0.9","mtu":1400,"advmss":1360,"priority":100,"table":0,"scope":253},{"dst":"10.8.0.0/16","mtu":0,"table":50,"scope":0}],"dns":{"nameservers":["10.1.0.1"],"domain":"example.org","search":["a","b"],"options":["ndots:2"]}}`,
	// The IPAM result of the specification's example.
	`{"cniVersion":"1.0.0","ips":[{"address":"10.1.0.5/16","gateway":"10.1.0.1"}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["10.1.0.1"]}}`,
	// No address; nothing at all; empty lists and texts; keys in other letters; null.
	`{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/a"}]}`,
	`{"cniVersion":"0.4.0"}`,
	`{"cniVersion":"1.0.0","interfaces":[],"ips":[{"address":"fd00::5/64","gateway":""}],"routes":[],"dns":{"nameservers":[],"domain":""}}`,
	`{"CNIVersion":"1.0.0","Interfaces":[{"Name":"eth0","MAC":"02:00:00:00:00:01"}],"IPs":[{"Address":"10.0.0.1/8","Gateway":null,"Interface":0}],"dns":null}`,
	// Older shapes.
	`{"cniVersion":"0.4.0","interfaces":[{"name":"eth0","mtu":1400,"sandbox":"/run/netns/a"}],"ips":[{"version":"4","interface":0,"address":"1.2.3.30/24","gateway":"1.2.3.1"},{"version":"6","address":"abcd:1234:ffff::cdde/64","interface":0}],"routes":[{"dst":"15.5.6.0/24","gw":"15.5.6.8"},{"dst":"1111:dddd::/80","gw":"1111:dddd::aaaa"}],"dns":{}}`,
	`{"cniVersion":"0.3.1","ips":[{"version":"4","address":"10.0.0.2/32"}],"routes":[{"dst":"::/0"}]}`,
	`{"cniVersion":"0.3.0","ips":[{"version":"6","address":"fd00::2/128"}],"routes":[{"dst":"10.0.0.0/8"}],"dns":{"search":["x"]}}`,
	`{"cniVersion":"0.2.0","ip4":{"ip":"1.2.3.30/24","gateway":"1.2.3.1","routes":[{"dst":"15.5.6.0/24","gw":"15.5.6.8"},{"dst":"0.0.0.0/0"}]},"ip6":{"ip":"abcd:1234:ffff::cdde/64","gateway":"abcd:1234:ffff::1","routes":[{"dst":"1111:dddd::/80"}]},"dns":{"nameservers":["1.2.3.4"]}}`,
	`{"cniVersion":"0.1.0","ip6":{"ip":"fd00::2/64"}}`,
	`{"ip4":{"ip":"10.0.0.2/24"}}`,
	// Several addresses of a family, routes of a family without address, null wherever it may be.
	`{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/24"},{"address":"10.1.0.2/24","gateway":"10.1.0.1"}],"routes":[{"dst":"fd00::/8"},{"dst":"10.0.0.0/8"}]}`,
	`{"cniVersion":"1.1.0","interfaces":null,"ips":[{"address":"fd00::2/64","gateway":null,"interface":null},{"address":"fd01::2/64"},{"address":"10.0.0.2/8"}],"routes":null,"dns":{"nameservers":null,"domain":null}}`,
	`{"cniVersion":"1.1.0","interfaces":[{"name":"","mac":"","mtu":0,"sandbox":"","socketPath":"","pciID":""}],"ips":[{"address":"0.0.0.0/0","interface":0},{"address":"::/0"}],"routes":[{"dst":"10.9.9.9/8","gw":"","mtu":0,"advmss":0,"priority":0,"table":254,"scope":0}]}`,
	// Spellings of addresses.
	`{"cniVersion":"1.0.0","ips":[{"address":"2001:DB8:0:0:0:0:0:1/32","gateway":"2001:db8::0.0.0.1"},{"address":"::ffff:10.0.0.1/120","gateway":"::ffff:10.0.0.254"}],"routes":[{"dst":"::ffff:10.0.0.0/104","gw":"::ffff:10.0.0.9"}]}`,
	// What each version knows and the others do not.
	`{"cniVersion":"0.4.0","interfaces":[{"name":"eth0","mtu":1500,"socketPath":"/s","pciID":"p"}],"ips":[{"version":"4","address":"10.0.0.2/8"}],"ip4":{"ip":"10.0.0.3/8"}}`,
	`{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/8","routes":[{"dst":"10.0.0.0/8"}]},"ips":[{"address":"10.0.0.3/8"}],"interfaces":[{"name":"eth0"}]}`,
	`{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/8"}],"ip4":{"ip":"10.0.0.3/8"},"interfaces":[{"name":"<&>é\u2028","mac":"no check here"}]}`,
	// Wrong ones.
	`{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2"}]}`,
	`{"cniVersion":"1.0.0","ips":[{"address":"010.0.0.2/8"}]}`,
	`{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/33"}]}`,
	`{"cniVersion":"1.0.0","ips":[{"address":"fe80::1%eth0/64"}]}`,
	`{"cniVersion":"1.0.0","ips":{}}`,
	`{"cniVersion":"1.0.0","routes":[{"dst":"default"}]}`,
	`{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/8","gateway":"x"}]}`,
	`{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.2/8","interface":"0"}]}`,
	`{"cniVersion":"0.5.0"}`,
	`{"cniVersion":1}`,
}

type vector struct {
	Input  json.RawMessage   `json:"input"`
	Output map[string]string `json:"output"`
}

func main() {
	vectors := []vector{}
	for _, input := range inputs {
		v := vector{json.RawMessage(input), map[string]string{}}
		result, err := create.CreateFromBytes([]byte(input))
		for _, version := range versions {
			if err != nil {
				v.Output[version] = "error: " + err.Error()
				continue
			}
			converted, err := result.GetAsVersion(version)
			if err != nil {
				v.Output[version] = "error: " + err.Error()
				continue
			}
			printed := bytes.Buffer{}
			_ = converted.PrintTo(&printed)
			v.Output[version] = printed.String()
		}
		vectors = append(vectors, v)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(vectors)
}
