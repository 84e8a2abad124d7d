use std::fmt;

/// The register that the launcher measures its events into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Register {
    /// PCR 13 of a TPM, in the SHA-256 bank.
    Pcr,
    /// RTMR 3 of Intel TDX, with SHA-384. The log names it by its measurement register index, 4 (UEFI 2.10,
    /// section 38.4.1).
    Rtmr,
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcr => "PCR 13",
            Self::Rtmr => "measurement register 4",
        })
    }
}
