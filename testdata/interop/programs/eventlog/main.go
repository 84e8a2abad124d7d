// Google's own reader of event logs between a launcher and the attestation service: passes every request on, and prints
// what each event log says that comes by, or why it cannot be read.
//
// Usage: eventlog ATTESTATION, the service's address. The first line of output is the address to launch with.
package main

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/GoogleCloudPlatform/confidential-space/server/extract"
	"github.com/google/go-eventlog/cel"
	"github.com/google/go-eventlog/proto/state"
	"github.com/google/go-eventlog/register"
)

type evidence struct {
	TdCcel, TpmAttestation *struct{ CanonicalEventLog string }
}

func main() {
	service, err := url.Parse(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(service)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		var e evidence
		if json.Unmarshal(body, &e) == nil {
			e.print()
		}
		proxy.ServeHTTP(w, r)
	})))
}

func (e evidence) print() {
	if e.TdCcel != nil {
		read("TDX", e.TdCcel.CanonicalEventLog, crypto.SHA384)
	}
	if e.TpmAttestation != nil {
		read("TPM", e.TpmAttestation.CanonicalEventLog, crypto.SHA256)
	}
}

// There is no hardware: the register holds what the log's digests make of it. Google's reader checks that the digests are
// those of the events.
func read(kind, text string, hash crypto.Hash) {
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		fmt.Println(kind, err)
		return
	}
	value, err := replay(bytes, hash)
	if err != nil {
		fmt.Println(kind, err)
		return
	}
	var bank register.MRBank = register.RTMRBank{RTMRs: []register.RTMR{{Index: 3, Digest: value}}}
	if hash == crypto.SHA256 {
		pcr := register.PCR{Index: 13, Digest: value, DigestAlg: hash}
		bank = register.PCRBank{TCGHashAlgo: state.HashAlgo_SHA256, PCRs: []register.PCR{pcr}}
	}
	found, err := extract.ParseCOSCEL(bytes, bank, extract.Options{})
	if err != nil {
		fmt.Println(kind, err)
		return
	}
	container := found.GetContainer()
	fmt.Println(kind, container.GetImageReference(), container.GetImageDigest(), container.GetArgs())
}

func replay(log []byte, hash crypto.Hash) ([]byte, error) {
	decoded, err := cel.DecodeToCEL(bytes.NewBuffer(log))
	if err != nil {
		return nil, err
	}
	value := make([]byte, hash.Size())
	for _, record := range decoded.Records() {
		hasher := hash.New()
		hasher.Write(value)
		hasher.Write(record.Digests[hash])
		value = hasher.Sum(nil)
	}
	return value, nil
}
