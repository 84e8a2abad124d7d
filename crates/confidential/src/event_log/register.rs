use std::fmt;

/// The register that the launcher extends by its events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Register {
    /// PCR 13 of a TPM, in the bank of SHA-256.
    Pcr,
    /// RTMR 3 of Intel TDX, in SHA-384. The log names it by its number among all measurement registers,
    /// 4 (UEFI 2.10, section 38.4.1).
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
