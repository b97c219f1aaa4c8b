//! NumPy's array files: `.npy` headers, and `.npz` (a zip of them, stored, the same bytes on every
//! machine).

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use diorama_video::fsx::AtomicFile;

use crate::error::{PostprocError, Result};

/// Bytes gathered before a system call.
const BLOCK: usize = 1 << 16;
/// 1 January 1980, the first day that zip knows: no clock reaches a result.
const DOS_DATE: u16 = 0x0021;

/// The header of an `.npy` file, version 1.0: C order. `descr`: NumPy's type, e.g. `<f4`.
pub(super) fn npy_header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let sizes = match shape {
        [one] => format!("({one},)"),
        sizes => {
            let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
            format!("({})", sizes.join(", "))
        }
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {sizes}, }}");
    // Magic, version, length, text and line feed together are a multiple of 64 bytes.
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend((text.len() as u16).to_le_bytes());
    header.extend(text.as_bytes());
    header
}

/// A member of the archive.
#[derive(Debug)]
struct Member {
    name: String,
    offset: u32,
    length: u32,
    crc: u32,
}

/// Writes one array after another into an `.npz` file.
#[derive(Debug)]
pub(super) struct NpzWriter {
    file: AtomicFile,
    path: std::path::PathBuf,
    position: u64,
    members: Vec<Member>,
    /// CRC-32 of the open member.
    crc: Crc32,
    /// Bytes of the open member.
    length: u64,
    buffer: Vec<u8>,
}

impl NpzWriter {
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            file: AtomicFile::create(path)?,
            path: path.to_owned(),
            position: 0,
            members: Vec::new(),
            crc: Crc32::new(),
            length: 0,
            buffer: Vec::with_capacity(2 * BLOCK),
        })
    }

    /// Adds an array whose bytes `write` gives in order, little-endian, as long as the shape says.
    pub(super) fn array(
        &mut self,
        name: &str,
        descr: &str,
        shape: &[usize],
        write: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let name = format!("{name}.npy");
        let offset = self.narrow(self.position)?;
        // Lengths and CRC come when the bytes have passed.
        let header = local_header(&name, 0, 0);
        self.raw(&header)?;
        self.crc = Crc32::new();
        self.length = 0;
        self.bytes(&npy_header(descr, shape))?;
        write(self)?;
        self.flush()?;
        let member = Member {
            crc: self.crc.value(),
            length: self.narrow(self.length)?,
            name,
            offset,
        };
        let header = local_header(&member.name, member.length, member.crc);
        self.file
            .seek(SeekFrom::Start(u64::from(member.offset)))
            .and_then(|_| self.file.write_all(&header))
            .and_then(|()| self.file.seek(SeekFrom::Start(self.position)))
            .map_err(|error| self.file.error(error))?;
        self.members.push(member);
        Ok(())
    }

    /// Adds a whole small array of f64.
    pub(super) fn doubles(&mut self, name: &str, shape: &[usize], values: &[f64]) -> Result<()> {
        self.array(name, "<f8", shape, |out| {
            values.iter().try_for_each(|v| out.bytes(&v.to_le_bytes()))
        })
    }

    /// Appends to the open array.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BLOCK {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffer);
        self.crc.update(&buffer);
        self.length += buffer.len() as u64;
        self.raw(&buffer)?;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .map_err(|error| self.file.error(error))?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn narrow(&self, value: u64) -> Result<u32> {
        u32::try_from(value).map_err(|_| PostprocError::Option {
            option: "--grid-size",
            reason: format!(
                "{} would be larger than 4 GiB: track fewer points or a shorter clip",
                self.path.display()
            ),
        })
    }

    /// Completes the file.
    pub(super) fn finish(mut self) -> Result<()> {
        let directory = self.narrow(self.position)?;
        let members = std::mem::take(&mut self.members);
        let count = members.len() as u16;
        for member in members {
            let mut entry = b"PK\x01\x02".to_vec();
            entry.extend(20u16.to_le_bytes()); // made by: DOS, version 2.0
            entry.extend(&local_header(&member.name, member.length, member.crc)[4..30]);
            entry.extend([0; 10]); // comment, disk, attributes
            entry.extend(member.offset.to_le_bytes());
            entry.extend(member.name.as_bytes());
            self.raw(&entry)?;
        }
        let size = self.narrow(self.position)? - directory;
        let mut end = b"PK\x05\x06".to_vec();
        end.extend([0; 4]); // disks
        end.extend(count.to_le_bytes()); // on this disk
        end.extend(count.to_le_bytes());
        end.extend(size.to_le_bytes());
        end.extend(directory.to_le_bytes());
        end.extend([0; 2]); // comment
        self.raw(&end)?;
        Ok(self.file.finish()?)
    }
}

/// The local header of a stored member, its name at the end.
fn local_header(name: &str, length: u32, crc: u32) -> Vec<u8> {
    let mut header = b"PK\x03\x04".to_vec();
    for half in [20u16, 0, 0, 0, DOS_DATE] {
        // version, flags, stored, time, date
        header.extend(half.to_le_bytes());
    }
    for word in [crc, length, length] {
        header.extend(word.to_le_bytes());
    }
    header.extend((name.len() as u16).to_le_bytes());
    header.extend(0u16.to_le_bytes());
    header.extend(name.as_bytes());
    header
}

/// CRC-32 as zip has it (reflected 0xEDB88320).
#[derive(Debug)]
struct Crc32 {
    table: [u32; 256],
    state: u32,
}

impl Crc32 {
    fn new() -> Self {
        let table = std::array::from_fn(|byte| {
            (0..8).fold(byte as u32, |c, _| {
                if c & 1 == 1 {
                    0xEDB8_8320 ^ (c >> 1)
                } else {
                    c >> 1
                }
            })
        });
        Self { table, state: !0 }
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let index = (self.state ^ u32::from(*byte)) & 0xFF;
            self.state = self.table[index as usize] ^ (self.state >> 8);
        }
    }

    fn value(&self) -> u32 {
        !self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_check_string() {
        let mut crc = Crc32::new();
        crc.update(b"123456789");
        assert_eq!(crc.value(), 0xCBF4_3926);
    }

    #[test]
    fn headers_are_aligned_and_say_their_shape() {
        for shape in [vec![], vec![5], vec![49, 4900, 3]] {
            let header = npy_header("<f4", &shape);
            assert_eq!(header.len() % 64, 0);
            let text = String::from_utf8(header[10..].to_vec()).unwrap();
            let expected = ["()", "(5,)", "", "(49, 4900, 3)"][shape.len()];
            assert!(text.contains(&format!("'shape': {expected}, }}")), "{text}");
            assert!(text.ends_with('\n'));
        }
    }
}
