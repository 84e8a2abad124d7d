// Reads the signatures of an image as Confidential Space does: its launcher takes the layers of the tag sha256-HEX.sig, and
// its attestation service verifies each with the key that the payload names. The service's own code verifies here.
//
// Usage: signedcontainer REPOSITORY@DIGEST. Prints the algorithm and key ID of each signature that is verified; exits with 1
// if one is not, or if there are no signatures.
package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/GoogleCloudPlatform/confidential-space/server/signedcontainer"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func main() {
	log.SetFlags(0)
	image, err := name.NewDigest(os.Args[1], name.Insecure)
	if err != nil {
		log.Fatal(err)
	}
	signatures, err := discover(image)
	if err != nil {
		log.Fatal(err)
	}
	result, err := signedcontainer.Verify(image.DigestStr(), signatures)
	if err != nil {
		log.Fatal(err)
	}
	for _, verified := range result.Verified {
		fmt.Println(verified.Alg, verified.KeyID)
	}
	for _, err := range result.Errors {
		log.Println(err)
	}
	if len(result.Errors) > 0 || len(result.Verified) == 0 {
		os.Exit(1)
	}
}

func discover(image name.Digest) ([]*signedcontainer.ImageSignature, error) {
	tag := image.Context().Tag(strings.Replace(image.DigestStr(), ":", "-", 1) + ".sig")
	found, err := remote.Image(tag)
	if err != nil {
		return nil, err
	}
	manifest, err := found.Manifest()
	if err != nil {
		return nil, err
	}
	var signatures []*signedcontainer.ImageSignature
	for _, layer := range manifest.Layers {
		signature, err := read(found, layer)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	return signatures, nil
}

func read(image v1.Image, descriptor v1.Descriptor) (*signedcontainer.ImageSignature, error) {
	signature, err := base64.StdEncoding.DecodeString(descriptor.Annotations["dev.cosignproject.cosign/signature"])
	if err != nil {
		return nil, err
	}
	layer, err := image.LayerByDigest(descriptor.Digest)
	if err != nil {
		return nil, err
	}
	blob, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	payload, err := io.ReadAll(blob)
	return &signedcontainer.ImageSignature{Payload: payload, Signature: signature}, err
}
