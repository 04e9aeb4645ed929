// Prints what Go's own encoding/gob makes of the messages between the plugin and the daemon, a stream a line in
// hexadecimal: `go run main.go > streams.txt`. The types are those of net/rpc and of containernetworking/cni, by fields.
package main

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"net"
)

type Request struct {
	ServiceMethod string
	Seq           uint64
}

type Response struct {
	ServiceMethod string
	Seq           uint64
	Error         string
}

type CmdArgs struct {
	ContainerID, Netns, IfName, Args, Path, NetnsOverride string
	StdinData                                             []byte
}

type Interface struct{ Name, Mac string }

type IPConfig struct {
	Interface *int
	Address   net.IPNet
	Gateway   net.IP
}

type Route struct {
	Dst                   net.IPNet
	GW                    net.IP
	MTU, AdvMSS, Priority int
	Table, Scope          *int
}

type DNS struct {
	Nameservers []string
	Domain      string
	Search      []string
	Options     []string
}

type Result struct {
	CNIVersion string
	Interfaces []*Interface
	IPs        []*IPConfig
	Routes     []*Route
	DNS        DNS
}

func stream(name string, values ...any) {
	var buffer bytes.Buffer
	encoder := gob.NewEncoder(&buffer)
	for _, value := range values {
		if err := encoder.Encode(value); err != nil {
			panic(err)
		}
	}
	fmt.Printf("%s %x\n", name, buffer.Bytes())
}

func main() {
	scope, index := 253, 2
	_, any4, _ := net.ParseCIDR("0.0.0.0/0")
	result := Result{
		CNIVersion: "1.1.0",
		Interfaces: []*Interface{{Name: "eth0"}},
		IPs: []*IPConfig{{
			Interface: &index,
			Address:   net.IPNet{IP: net.IPv4(10, 0, 0, 9), Mask: net.CIDRMask(22, 32)},
			Gateway:   net.IP{10, 0, 0, 1},
		}},
		Routes: []*Route{
			{Dst: *any4, GW: net.IP{10, 0, 0, 1}, Priority: 300},
			{Dst: *any4, GW: net.IP{0, 0, 0, 0}, Scope: &scope},
		},
		DNS: DNS{Nameservers: []string{"10.0.0.2", "10.0.0.3"}, Domain: "example.org"},
	}
	args := CmdArgs{ContainerID: "blue", Netns: "/run/netns/blue", IfName: "eth0", StdinData: bytes.Repeat([]byte("x"), 300)}
	stream("question", Request{"DHCP.Allocate", 0}, args)
	stream("answer", Response{"DHCP.Allocate", 0, ""}, result, Response{"DHCP.Allocate", 1, ""}, result)
	stream("released", Response{"DHCP.Release", 0, ""}, struct{}{})
	stream("refused", Response{"DHCP.Allocate", 7, "no more tries"}, struct{}{})
	stream("numbers", []int{0, 1, -1, 63, -64, 64, -65, 127, 128, 1 << 40, -1 << 40})
}
