//! What programs of Go say of themselves, in ELF of each width and byte order.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

const MAGIC: &[u8] = b"\xff Go buildinf:";
const SECTION: &str = ".go.buildinfo";
/// Where the data segment is in memory, and in the file.
const ADDRESS: usize = 0x0040_0008;
const DATA: usize = 0x200;

#[derive(Clone, Copy, Debug)]
enum Width {
    Narrow,
    Wide,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Little,
    Big,
}

/// What a program of Go 1.18 or later says.
fn info() -> Vec<u8> {
    let mark = "m".repeat(16);
    let modules = format!("{mark}path\texample.org/app\ndep\texample.org/a\tv1.0.0\th1:x=\n{mark}");
    let mut bytes = MAGIC.to_vec();
    bytes.extend([8, 2]);
    bytes.resize(32, 0);
    for text in ["go1.26.0", &modules] {
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend(text.bytes());
    }
    bytes
}

/// A program whose second segment, which may be written to, has this data; with one section about all of it, if it has a name.
struct Program<'a> {
    width: Width,
    order: Order,
    data: &'a [u8],
    section: Option<&'a str>,
}

impl Program<'_> {
    fn number(&self, value: usize, size: usize) -> Vec<u8> {
        let bytes = (value as u64).to_le_bytes()[..size].to_vec();
        match self.order {
            Order::Little => bytes,
            Order::Big => bytes.into_iter().rev().collect(),
        }
    }

    /// Numbers, each of as many bytes; those of no bytes have the size of an address.
    fn numbers(&self, numbers: &[(usize, usize)]) -> Vec<u8> {
        let address = match self.width {
            Width::Narrow => 4,
            Width::Wide => 8,
        };
        let all = numbers.iter().flat_map(|(value, size)| match size {
            0 => self.number(*value, address),
            size => self.number(*value, *size),
        });
        all.collect()
    }

    fn segment(&self, flags: usize, address: usize, size: usize) -> Vec<u8> {
        match self.width {
            Width::Narrow => self.numbers(&[
                (1, 4),
                (DATA, 4),
                (address, 4),
                (0, 4),
                (size, 4),
                (size, 4),
                (flags, 4),
                (1, 4),
            ]),
            Width::Wide => self.numbers(&[
                (1, 4),
                (flags, 4),
                (DATA, 8),
                (address, 8),
                (0, 8),
                (size, 8),
                (size, 8),
                (1, 8),
            ]),
        }
    }

    fn section(&self, name: usize, address: usize, at: usize, size: usize) -> Vec<u8> {
        self.numbers(&[
            (name, 4),
            (1, 4),
            (0, 0),
            (address, 0),
            (at, 0),
            (size, 0),
            (0, 4),
            (0, 4),
            (1, 0),
            (0, 0),
        ])
    }

    fn bytes(&self) -> Vec<u8> {
        let (class, header, segment, section) = match self.width {
            Width::Narrow => (1, 52, 32, 40),
            Width::Wide => (2, 64, 56, 64),
        };
        let order = match self.order {
            Order::Little => 1,
            Order::Big => 2,
        };
        let names = format!("\0{}\0", self.section.unwrap_or_default());
        let names_at = DATA + self.data.len();
        let (sections_at, sections) = match self.section {
            Some(_) => (names_at + names.len(), 2),
            None => (0, 0),
        };
        let mut out = b"\x7fELF".to_vec();
        out.extend([class, order, 1]);
        out.resize(16, 0);
        out.extend(self.numbers(&[
            (2, 2),
            (62, 2),
            (1, 4),
            (0, 0),
            (header, 0),
            (sections_at, 0),
            (0, 4),
        ]));
        out.extend(self.numbers(&[
            (header, 2),
            (segment, 2),
            (2, 2),
            (section, 2),
            (sections, 2),
            (1, 2),
        ]));
        // The same bytes as code, which is not searched, and as data.
        out.extend(self.segment(5, 0x1000, 64));
        out.extend(self.segment(6, ADDRESS, self.data.len()));
        out.resize(DATA, 0);
        out.extend(self.data);
        if self.section.is_some() {
            out.extend(names.as_bytes());
            out.extend(self.section(1, ADDRESS, DATA, self.data.len()));
            out.extend(self.section(0, 0, names_at, names.len()));
        }
        out
    }
}

/// Data with the information at this address.
fn data_at(address: usize) -> Vec<u8> {
    let mut data = vec![0; address - ADDRESS];
    data.extend(info());
    data
}

fn read(program: &Program<'_>) -> Result<Option<String>, String> {
    let info = sbom::build_info(&program.bytes());
    let info = info.map_err(|error| error.to_string())?;
    Ok(info.map(|info| format!("{} {} {}", info.go, info.path, info.dependencies[0].path)))
}

const PLAIN: Program<'static> = Program {
    width: Width::Wide,
    order: Order::Little,
    data: &[],
    section: None,
};

#[test]
fn every_form_of_elf_is_read_with_and_without_sections() {
    let data = data_at(ADDRESS + 8);
    for width in [Width::Narrow, Width::Wide] {
        for order in [Order::Little, Order::Big] {
            for section in [None, Some(SECTION), Some(".data")] {
                let program = Program {
                    width,
                    order,
                    data: &data,
                    section,
                };
                let expected = Ok(Some("go1.26.0 example.org/app example.org/a".to_owned()));
                assert_eq!(read(&program), expected, "{width:?} {order:?} {section:?}");
            }
        }
    }
}

#[test]
fn the_information_is_at_a_multiple_of_sixteen_bytes() {
    let of = |address: usize| {
        let data = data_at(address);
        read(&Program {
            data: &data,
            ..PLAIN
        })
    };
    assert!(of(ADDRESS + 8 + 4096).unwrap().is_some());
    for odd in [0, 1, 9, 16] {
        assert_eq!(of(ADDRESS + odd), Ok(None), "{odd}");
    }
    // Text that is only like it comes before.
    let mut data = data_at(ADDRESS + 8 + 64);
    data[10..10 + MAGIC.len()].copy_from_slice(MAGIC);
    assert!(
        read(&Program {
            data: &data,
            ..PLAIN
        })
        .unwrap()
        .is_some()
    );
}

#[test]
fn information_that_cannot_be_read_is_refused() {
    let whole = data_at(ADDRESS + 8);
    for data in [&whole[..whole.len() - 1], &whole[..24]] {
        for section in [None, Some(SECTION)] {
            let error = read(&Program {
                data,
                section,
                ..PLAIN
            })
            .unwrap_err();
            assert!(error.contains("Go 1.18"), "{error}");
        }
    }
    let none = read(&Program {
        data: &[0; 64],
        section: Some(SECTION),
        ..PLAIN
    });
    assert!(none.unwrap_err().contains("Go 1.18"));
}

#[test]
fn tables_that_are_not_in_the_file_have_nothing() {
    let data = data_at(ADDRESS + 8);
    let whole = Program {
        data: &data,
        section: Some(SECTION),
        ..PLAIN
    }
    .bytes();
    // The offset of the sections, and then also that of the segments.
    let mut bytes = whole.clone();
    bytes[40..48].fill(0xff);
    assert!(sbom::build_info(&bytes).unwrap().is_some());
    bytes[32..40].fill(0xff);
    assert_eq!(sbom::build_info(&bytes).unwrap(), None);
    for length in 0..whole.len() {
        drop(sbom::build_info(&whole[..length]));
    }
}
