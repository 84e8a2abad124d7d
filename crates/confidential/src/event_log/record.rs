//! One record of a canonical event log (TCG, "Canonical Event Log Format" 1.0, section 5, in the encoding as
//! type, length and value): its number, the register, the digests that extended it, and the event.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::event::{EVENT, Event, field};
use super::register::Register;
use crate::Error;

/// Types of the fields of a record (TCG Canonical Event Log, table 2; google/go-eventlog, `cel`, for the
/// measurement registers of confidential machines).
const NUMBER: u8 = 0;
const PCR_INDEX: u8 = 1;
const DIGESTS: u8 = 3;
const CC_INDEX: u8 = 108;
/// Hash algorithms (TCG Algorithm Registry, `TPM_ALG_ID`).
const SHA1: u8 = 0x04;
const SHA256: u8 = 0x0b;
const SHA384: u8 = 0x0c;
const SHA512: u8 = 0x0d;
/// Bytes of type and length before a field's value.
const HEADER: usize = 5;
pub(super) const READING: &str = "reading event log";

impl Register {
    /// The type and the value of the field that names the register.
    fn index(self) -> (u8, u8) {
        match self {
            Self::Pcr => (PCR_INDEX, super::PCR),
            Self::Rtmr => (CC_INDEX, 4),
        }
    }

    /// The register's hash algorithm.
    fn algorithm(self) -> u8 {
        match self {
            Self::Pcr => SHA256,
            Self::Rtmr => SHA384,
        }
    }
}

/// Writes a record.
pub(super) fn write(number: u64, register: Register, event: &Event) -> Vec<u8> {
    write_bytes(number, register, &event.to_bytes())
}

fn write_bytes(number: u64, register: Register, event: &[u8]) -> Vec<u8> {
    let (kind, index) = register.index();
    let algorithm = register.algorithm();
    let digest = digest(algorithm, event).unwrap_or_default();
    let mut bytes = field(NUMBER, &number.to_be_bytes());
    bytes.extend(field(kind, &[index]));
    bytes.extend(field(DIGESTS, &field(algorithm, &digest)));
    bytes.extend(event);
    bytes
}

/// A log with one record that contains these bytes.
#[cfg(test)]
pub(super) fn of_bytes(event: &[u8]) -> Vec<u8> {
    write_bytes(0, Register::Pcr, event)
}

/// The digest by an algorithm; `None` for an algorithm that is not checked.
fn digest(algorithm: u8, bytes: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        SHA256 => Some(Sha256::digest(bytes).to_vec()),
        SHA384 => Some(Sha384::digest(bytes).to_vec()),
        SHA512 => Some(Sha512::digest(bytes).to_vec()),
        _ => None,
    }
}

/// The fields of a log that are not read yet.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let (rest, offset) = (bytes, 0);
        Self { rest, offset }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Type and value of the next field.
    fn next(&mut self) -> Result<(u8, &'a [u8]), Error> {
        let offset = self.offset;
        let (kind, value) = split(self.rest).ok_or_else(|| truncated(offset))?;
        let size = HEADER + value.len();
        self.rest = &self.rest[size..];
        self.offset += size;
        Ok((kind, value))
    }

    /// The value of the next field, which must be of this type.
    fn expect(&mut self, expected: u8) -> Result<&'a [u8], Error> {
        let offset = self.offset;
        match self.next()? {
            (found, value) if found == expected => Ok(value),
            (found, _) => Err(refused(format!(
                "expected type {expected} at byte {offset}, found {found}"
            ))),
        }
    }

    /// Reads the record with this number, of an event that was measured into `register`.
    ///
    /// # Errors
    /// The record has another number or register, no digest for the register or a wrong one, or an unknown
    /// event.
    pub(super) fn record(&mut self, number: u64, register: Register) -> Result<Event, Error> {
        let offset = self.offset;
        if self.expect(NUMBER)? != number.to_be_bytes() {
            return Err(refused(format!(
                "the record at byte {offset} does not have the number {number}"
            )));
        }
        self.check_register(register)?;
        let digests = self.expect(DIGESTS)?;
        let start = self.rest;
        let value = self.expect(EVENT)?;
        let event = &start[..HEADER + value.len()];
        check_digests(offset, register, digests, event)?;
        let (kind, content) = split(value).ok_or_else(|| truncated(offset))?;
        if content.len() + HEADER != value.len() {
            return Err(refused(format!(
                "the event at byte {offset} has bytes after its end"
            )));
        }
        Event::parse(kind, content)
    }

    fn check_register(&mut self, register: Register) -> Result<(), Error> {
        let offset = self.offset;
        let (expected, index) = register.index();
        let (found, value) = self.next()?;
        match found == expected && value == [index] {
            true => Ok(()),
            false => Err(refused(format!(
                "expected {register} at byte {offset}, found another register"
            ))),
        }
    }
}

/// The digest by the register's algorithm is required, and every digest must match the event. Only digests
/// by SHA-1 are not checked.
fn check_digests(
    offset: usize,
    register: Register,
    digests: &[u8],
    event: &[u8],
) -> Result<(), Error> {
    let mut digests = Fields::of(digests);
    let mut own = false;
    while !digests.is_empty() {
        let (algorithm, found) = digests.next()?;
        let holds = match digest(algorithm, event) {
            Some(expected) => expected == found,
            None => algorithm == SHA1,
        };
        if !holds {
            return Err(differs(offset));
        }
        own |= algorithm == register.algorithm();
    }
    match own {
        true => Ok(()),
        false => Err(differs(offset)),
    }
}

fn differs(offset: usize) -> Error {
    refused(format!(
        "the digests of the record at byte {offset} do not match its event"
    ))
}

fn truncated(offset: usize) -> Error {
    refused(format!("the event at byte {offset} is truncated"))
}

fn refused(fault: String) -> Error {
    Error::new(READING, fault)
}

/// Type and value of the field that `bytes` begin with.
fn split(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let [kind, length @ ..] = *header;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    Some((kind, rest.get(..length)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes were written by google/go-eventlog and google/go-tpm-tools.
    const OF_GOOGLE: [(Register, &str); 2] = [
        (
            Register::Pcr,
            concat!(
                "0000000008000000000000000001000000010d03000000250b00000020f133dbef8ff0162ef3c726ed21a5e3",
                "db02d46b785301413017d8065721e4fed1500000000e04000000092f776f726b6c6f61640000000008000000",
                "000000000101000000010d03000000250b00000020f812201fe3998cb38ada4dc1fa44b8ae1767a6108eb02e",
                "363f4c1356360517f550000000050800000000",
            ),
        ),
        (
            Register::Rtmr,
            concat!(
                "000000000800000000000000006c000000010403000000350c00000030a327c6ea4f34fee5f490198b8d8c8a",
                "397644d2bab67ffc809f2363a11d67997e1a876791d9616667ab9d1cabbefa6e66500000000e04000000092f",
                "776f726b6c6f6164000000000800000000000000016c000000010403000000350c000000302731fce4778c6f",
                "9a6fa22db4e6a7375c0f4672d407b0dcd2196617e7dd2d33b9348281c3e044b543a1de68cdf1d889ff500000",
                "00050800000000",
            ),
        ),
    ];

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn writes_the_same_records_as_google() {
        for (register, expected) in OF_GOOGLE {
            let events = [Event::Arg("/workload".into()), Event::LaunchSeparator];
            let numbered = events.iter().zip(0..);
            let bytes: Vec<u8> = numbered
                .flat_map(|(event, number)| write(number, register, event))
                .collect();
            assert_eq!(hex(&bytes), expected, "{register:?}");
        }
    }

    #[test]
    fn refuses_a_wrong_number_register_or_digest() {
        let event = Event::Arg("a".into());
        let bytes = event.to_bytes();
        let read = |register, fields: [Vec<u8>; 3]| {
            let bytes = [fields.concat(), bytes.clone()].concat();
            Fields::of(&bytes).record(7, register)
        };
        let sha = |algorithm| field(algorithm, &digest(algorithm, &bytes).unwrap());
        let digests = |all: &[Vec<u8>]| field(DIGESTS, &all.concat());
        let number = field(NUMBER, &7u64.to_be_bytes());
        let (pcr, rtmr) = (field(PCR_INDEX, &[13]), field(CC_INDEX, &[4]));
        let unjudged = field(SHA1, &[0; 20]);
        for (into, register, all) in [
            (Register::Pcr, &pcr, vec![sha(SHA256)]),
            (
                Register::Pcr,
                &pcr,
                vec![unjudged.clone(), sha(SHA256), sha(SHA384), sha(SHA512)],
            ),
            (Register::Rtmr, &rtmr, vec![sha(SHA384)]),
        ] {
            let found = read(into, [number.clone(), register.clone(), digests(&all)]);
            assert_eq!(found.unwrap(), event);
        }
        for (into, register, all) in [
            (Register::Pcr, &pcr, vec![]),
            (Register::Pcr, &pcr, vec![sha(SHA384)]),
            (Register::Rtmr, &rtmr, vec![sha(SHA256)]),
            (Register::Pcr, &pcr, vec![unjudged]),
            (
                Register::Pcr,
                &pcr,
                vec![sha(SHA256), field(SHA384, &[0; 48])],
            ),
            (
                Register::Pcr,
                &pcr,
                vec![sha(SHA256), field(0x27, &[0; 32])],
            ),
        ] {
            let refused = read(into, [number.clone(), register.clone(), digests(&all)]);
            assert_eq!(
                refused.unwrap_err().to_string(),
                "reading event log: the digests of the record at byte 0 do not match its event",
                "{all:?}"
            );
        }
        for register in [field(PCR_INDEX, &[14]), rtmr.clone(), field(2, &[13])] {
            let refused = read(
                Register::Pcr,
                [number.clone(), register, digests(&[sha(SHA256)])],
            );
            assert_eq!(
                refused.unwrap_err().to_string(),
                "reading event log: expected PCR 13 at byte 13, found another register"
            );
        }
        for other in [field(NUMBER, &8u64.to_be_bytes()), field(NUMBER, &[7])] {
            let refused = read(Register::Pcr, [other, pcr.clone(), digests(&[sha(SHA256)])]);
            assert_eq!(
                refused.unwrap_err().to_string(),
                "reading event log: the record at byte 0 does not have the number 7"
            );
        }
    }
}
