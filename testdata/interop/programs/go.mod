module interop

go 1.24.0

require (
	github.com/GoogleCloudPlatform/confidential-space/server v0.0.0-20260522213940-e5c6d01a3007
	github.com/google/go-eventlog v0.0.3-0.20260416001248-6807b85eecf0
)

require (
	github.com/google/go-sev-guest v0.14.0 // indirect
	github.com/google/go-tdx-guest v0.3.2-0.20250814004405-ffb0869e6f4d // indirect
	github.com/google/go-tpm v0.9.6 // indirect
	github.com/google/go-tpm-tools v0.4.9-0.20260325175049-22911efba9e5 // indirect
	golang.org/x/sys v0.38.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)
