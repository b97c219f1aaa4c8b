//! The tracks file of the public tools: `np.save` of the dictionary `{"tracks", "visibility"}`, which
//! NumPy stores as a pickle (readers need `allow_pickle=True` and `.item()`).

use super::npz::npy_header;

/// Opcodes of pickle protocol 3 around arrays, which are built by calls: `numpy.array(dict)` and
/// `numpy.ndarray(shape, type, bytes)`.
pub(super) struct DictPickle(Vec<u8>);

impl DictPickle {
    /// Up to the first entry.
    pub(super) fn new() -> Self {
        let mut bytes = npy_header("|O", &[]);
        bytes.extend(b"\x80\x03cnumpy\narray\n}("); // PROTO 3, GLOBAL, EMPTY_DICT, MARK
        Self(bytes)
    }

    /// Begins the entry `key`, an array of `length` bytes which must follow.
    pub(super) fn array(&mut self, key: &str, descr: &str, shape: [usize; 4], length: u32) {
        // The mark of the shape's tuple lies inside that of the arguments.
        self.text(key);
        self.0.extend(b"cnumpy\nndarray\n((");
        for size in shape.into_iter().filter(|size| *size != NO_AXIS) {
            self.0.push(b'J'); // BININT
            self.0.extend((size as u32).to_le_bytes());
        }
        self.0.push(b't'); // TUPLE
        self.text(descr);
        self.0.push(b'B'); // BINBYTES
        self.0.extend(length.to_le_bytes());
    }

    /// Ends an entry: the arguments' tuple, and the call.
    pub(super) fn end_array(&mut self) {
        self.0.extend(b"tR");
    }

    /// SETITEMS, a tuple of the dictionary, the call, STOP.
    pub(super) fn end(&mut self) {
        self.0.extend(b"u\x85R.");
    }

    fn text(&mut self, text: &str) {
        self.0.push(b'X'); // BINUNICODE
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    /// What has been gathered so far.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// Fills a shape of fewer than four axes.
pub(super) const NO_AXIS: usize = usize::MAX;
