//! Programs in ELF of either width and byte order, as far as it takes to find data in them.

/// The types and flags of segments (ELF specification, program header).
const LOADED: u64 = 1;
const WRITABLE: u64 = 2;

/// A program.
pub(crate) struct Elf<'a> {
    bytes: &'a [u8],
    order: Order,
    layout: &'static Layout,
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

/// Where fields are, in programs of one width: each as offset and size.
struct Layout {
    /// Of the file header: the offset of each table, the size of its entries, and their number.
    segments: Table,
    sections: Table,
    /// The index of the section with names.
    names: Field,
    segment: SegmentLayout,
    section: SectionLayout,
}

struct Table {
    at: Field,
    entry: Field,
    count: Field,
}

struct SegmentLayout {
    kind: Field,
    flags: Field,
    offset: Field,
    address: Field,
    size: Field,
}

struct SectionLayout {
    name: Field,
    address: Field,
    offset: Field,
    size: Field,
}

type Field = (usize, usize);

const NARROW: Layout = Layout {
    segments: Table {
        at: (28, 4),
        entry: (42, 2),
        count: (44, 2),
    },
    sections: Table {
        at: (32, 4),
        entry: (46, 2),
        count: (48, 2),
    },
    names: (50, 2),
    segment: SegmentLayout {
        kind: (0, 4),
        flags: (24, 4),
        offset: (4, 4),
        address: (8, 4),
        size: (16, 4),
    },
    section: SectionLayout {
        name: (0, 4),
        address: (12, 4),
        offset: (16, 4),
        size: (20, 4),
    },
};

const WIDE: Layout = Layout {
    segments: Table {
        at: (32, 8),
        entry: (54, 2),
        count: (56, 2),
    },
    sections: Table {
        at: (40, 8),
        entry: (58, 2),
        count: (60, 2),
    },
    names: (62, 2),
    segment: SegmentLayout {
        kind: (0, 4),
        flags: (4, 4),
        offset: (8, 8),
        address: (16, 8),
        size: (32, 8),
    },
    section: SectionLayout {
        name: (0, 4),
        address: (16, 8),
        offset: (24, 8),
        size: (32, 8),
    },
};

/// Bytes of a program, and the address that they have in memory.
pub(crate) struct Data<'a> {
    pub(crate) address: u64,
    pub(crate) bytes: &'a [u8],
}

struct Segment {
    kind: u64,
    flags: u64,
    offset: u64,
    address: u64,
    size: u64,
}

impl<'a> Elf<'a> {
    /// The program, if the bytes begin as one.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(b"\x7fELF")?;
        let layout = match rest.first()? {
            1 => &NARROW,
            2 => &WIDE,
            _ => return None,
        };
        let order = match rest.get(1)? {
            1 => Order::Little,
            2 => Order::Big,
            _ => return None,
        };
        Some(Self {
            bytes,
            order,
            layout,
        })
    }

    /// The first section of this name, up to the end of the segment that it is in, and its size.
    pub(crate) fn section(&self, name: &str) -> Option<(Data<'a>, usize)> {
        let field = &self.layout.section;
        let names = usize::try_from(self.number(self.bytes, self.layout.names)?).ok()?;
        let names = self.entries(&self.layout.sections).nth(names)?;
        let names = self.range(
            self.number(names, field.offset)?,
            self.number(names, field.size)?,
        )?;
        let is_named = |section: &&[u8]| {
            let at = self
                .number(section, field.name)
                .and_then(|at| usize::try_from(at).ok());
            let found = at
                .and_then(|at| names.get(at..))
                .and_then(|text| text.split(|byte| *byte == 0).next());
            found == Some(name.as_bytes())
        };
        let section = self.entries(&self.layout.sections).find(is_named)?;
        let [address, offset, size] =
            [field.address, field.offset, field.size].map(|field| self.number(section, field));
        let (address, size) = (address?, size?);
        let bytes = self.at(address).or_else(|| self.range(offset?, size))?;
        Some((Data { address, bytes }, usize::try_from(size).ok()?))
    }

    /// The segments that the program may write to.
    pub(crate) fn writable(&self) -> impl Iterator<Item = Data<'a>> {
        let written = self
            .segments()
            .filter(|one| one.kind == LOADED && one.flags & WRITABLE != 0);
        written.filter_map(|one| {
            let bytes = self.range(one.offset, one.size)?;
            Some(Data {
                address: one.address,
                bytes,
            })
        })
    }

    /// The bytes from an address to the end of the first segment that has it.
    fn at(&self, address: u64) -> Option<&'a [u8]> {
        self.segments().find_map(|one| {
            let within = address
                .checked_sub(one.address)
                .filter(|within| *within < one.size)?;
            self.range(one.offset.checked_add(within)?, one.size - within)
        })
    }

    fn segments(&self) -> impl Iterator<Item = Segment> {
        let field = &self.layout.segment;
        let entries = self.entries(&self.layout.segments);
        entries.filter_map(|entry| {
            Some(Segment {
                kind: self.number(entry, field.kind)?,
                flags: self.number(entry, field.flags)?,
                offset: self.number(entry, field.offset)?,
                address: self.number(entry, field.address)?,
                size: self.number(entry, field.size)?,
            })
        })
    }

    /// The entries of a table; none that is not in the file.
    fn entries(&self, table: &Table) -> impl Iterator<Item = &'a [u8]> {
        let [at, size, count] = [table.at, table.entry, table.count]
            .map(|field| self.number(self.bytes, field).unwrap_or_default());
        (0..count).map_while(move |index| self.range(at.checked_add(index * size)?, size))
    }

    /// Bytes of the file.
    fn range(&self, offset: u64, size: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = usize::try_from(offset.checked_add(size)?).ok()?;
        self.bytes.get(start..end)
    }

    fn number(&self, bytes: &[u8], (at, size): Field) -> Option<u64> {
        let bytes = bytes.get(at..at + size)?.iter();
        let joined = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(match self.order {
            Order::Little => bytes.rev().fold(0, joined),
            Order::Big => bytes.fold(0, joined),
        })
    }
}
