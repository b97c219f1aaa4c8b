//! Numbers out of buffers: strides, component types, normalisation, sparse replacement.
//! Every offset is checked here, so that no other code touches raw bytes.

use super::container::Document;
use super::schema::Accessor;

/// Most elements of an accessor without a buffer view (all zeros, or sparse): there the size of the
/// file bounds nothing.
const MAX_UNBACKED: usize = 1 << 22;

/// Elements of `N` components as floats; integers are scaled to [0, 1] or [−1, 1] when normalised
/// (glTF 2.0 section 3.11, KHR_mesh_quantization), and taken as they are otherwise.
pub(super) fn floats<const N: usize>(
    document: &Document,
    index: usize,
    what: &str,
) -> Result<Vec<[f32; N]>, String> {
    elements(document, index, what, |kind, bytes, normalized| {
        float(kind, bytes, normalized)
    })
}

/// Elements of `N` unsigned integers.
pub(super) fn integers<const N: usize>(
    document: &Document,
    index: usize,
    what: &str,
) -> Result<Vec<[u32; N]>, String> {
    elements(document, index, what, |kind, bytes, _| {
        unsigned(kind, bytes)
    })
}

/// Components per element of an accessor.
pub(super) fn components(document: &Document, index: usize) -> Option<usize> {
    let accessor = document.root.accessors.get(index)?;
    Some(match accessor.shape.as_str() {
        "SCALAR" => 1,
        "VEC2" => 2,
        "VEC3" => 3,
        "VEC4" | "MAT2" => 4,
        "MAT3" => 9,
        "MAT4" => 16,
        _ => return None,
    })
}

/// Number of elements of an accessor, once it is known that its data exist.
pub(super) fn checked_count(
    document: &Document,
    index: usize,
    what: &str,
) -> Result<usize, String> {
    Ok(checked(document, index, what)?.accessor.count)
}

/// An accessor whose data are known to be in range.
struct Checked<'a> {
    accessor: &'a Accessor,
    component: Component,
    /// Bytes and stride; none: all zeros.
    backing: Option<(&'a [u8], usize)>,
}

fn checked<'a>(document: &'a Document, index: usize, what: &str) -> Result<Checked<'a>, String> {
    let accessor = document
        .root
        .accessors
        .get(index)
        .ok_or_else(|| format!("{what} names accessor {index}, which does not exist"))?;
    let context = |reason: String| format!("{what} (accessor {index}) {reason}");
    let component = Component::of(accessor.component_type).map_err(context)?;
    let Some(view) = accessor.buffer_view else {
        if accessor.count > MAX_UNBACKED {
            return Err(context(format!(
                "declares {} elements without data",
                accessor.count
            )));
        }
        return Ok(Checked {
            accessor,
            component,
            backing: None,
        });
    };
    let width = component.bytes() * components(document, index).unwrap_or(1);
    let (bytes, stride) = view_bytes(document, view, accessor.byte_offset).map_err(context)?;
    let stride = stride.unwrap_or(width);
    check_range(bytes, accessor, stride, width).map_err(context)?;
    Ok(Checked {
        accessor,
        component,
        backing: Some((bytes, stride)),
    })
}

fn elements<T: Copy + Default, const N: usize>(
    document: &Document,
    index: usize,
    what: &str,
    read: impl Fn(Component, &[u8], bool) -> Result<T, String>,
) -> Result<Vec<[T; N]>, String> {
    let Checked {
        accessor,
        component,
        backing,
    } = checked(document, index, what)?;
    let context = |reason: String| format!("{what} (accessor {index}) {reason}");
    if components(document, index) != Some(N) {
        return Err(context(format!(
            "is of type {}, which has not {N} components",
            accessor.shape
        )));
    }
    let width = component.bytes() * N;
    let mut result = vec![[T::default(); N]; accessor.count];
    if let Some((bytes, stride)) = backing {
        for (row, element) in result.iter_mut().enumerate() {
            read_element(&bytes[row * stride..], component, accessor, &read, element)
                .map_err(context)?;
        }
    }
    let Some(sparse) = &accessor.sparse else {
        return Ok(result);
    };
    if sparse.count > accessor.count {
        return Err(context(format!("replaces {} elements", sparse.count)));
    }
    let kind = sparse.indices.component_type.unwrap_or(0);
    let index_component = Component::of(kind).map_err(context)?;
    let (index_bytes, _) = view_bytes(
        document,
        sparse.indices.buffer_view,
        sparse.indices.byte_offset,
    )
    .map_err(context)?;
    let (value_bytes, _) = view_bytes(
        document,
        sparse.values.buffer_view,
        sparse.values.byte_offset,
    )
    .map_err(context)?;
    for row in 0..sparse.count {
        let start = row * index_component.bytes();
        let bytes = index_bytes.get(start..start + index_component.bytes());
        let values = value_bytes.get(row * width..(row + 1) * width);
        let (Some(bytes), Some(values)) = (bytes, values) else {
            return Err(context("has sparse data beyond its buffer".into()));
        };
        let at = unsigned(index_component, bytes).map_err(context)? as usize;
        let element = result
            .get_mut(at)
            .ok_or_else(|| context(format!("replaces element {at}, which does not exist")))?;
        read_element(values, component, accessor, &read, element).map_err(context)?;
    }
    Ok(result)
}

#[inline]
fn read_element<T, const N: usize>(
    bytes: &[u8],
    component: Component,
    accessor: &Accessor,
    read: &impl Fn(Component, &[u8], bool) -> Result<T, String>,
    element: &mut [T; N],
) -> Result<(), String> {
    let size = component.bytes();
    for (column, value) in element.iter_mut().enumerate() {
        let start = column * size;
        *value = read(component, &bytes[start..start + size], accessor.normalized)?;
    }
    Ok(())
}

fn check_range(
    bytes: &[u8],
    accessor: &Accessor,
    stride: usize,
    width: usize,
) -> Result<(), String> {
    let end = match accessor.count.checked_sub(1) {
        None => Some(0),
        Some(last) => last
            .checked_mul(stride)
            .and_then(|at| at.checked_add(width)),
    };
    match end {
        Some(end) if end <= bytes.len() && stride >= width => Ok(()),
        _ => Err("reaches beyond its buffer".into()),
    }
}

/// The bytes of a view from `offset` on, and its stride.
pub(super) fn view_bytes(
    document: &Document,
    view: usize,
    offset: usize,
) -> Result<(&[u8], Option<usize>), String> {
    let missing = || format!("uses buffer view {view}, which does not exist");
    let view = document.root.buffer_views.get(view).ok_or_else(missing)?;
    let bytes = document
        .buffers
        .get(view.buffer)
        .and_then(|buffer| {
            buffer
                .get(view.byte_offset..)?
                .get(..view.byte_length)?
                .get(offset..)
        })
        .ok_or("reaches beyond its buffer")?;
    Ok((bytes, view.byte_stride))
}

/// glTF component types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Component {
    I8,
    U8,
    I16,
    U16,
    U32,
    F32,
}

impl Component {
    fn of(code: u32) -> Result<Self, String> {
        Ok(match code {
            5120 => Self::I8,
            5121 => Self::U8,
            5122 => Self::I16,
            5123 => Self::U16,
            5125 => Self::U32,
            5126 => Self::F32,
            _ => return Err(format!("has the unknown component type {code}")),
        })
    }

    fn bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }
}

#[inline]
fn little_endian<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| "is truncated".to_owned())
}

#[inline]
fn float(component: Component, bytes: &[u8], normalized: bool) -> Result<f32, String> {
    let (value, largest) = match component {
        Component::F32 => return Ok(f32::from_le_bytes(little_endian(bytes)?)),
        Component::U32 => return Ok(u32::from_le_bytes(little_endian(bytes)?) as f32),
        Component::I8 => (f32::from(i8::from_le_bytes(little_endian(bytes)?)), 127.0),
        Component::U8 => (f32::from(u8::from_le_bytes(little_endian(bytes)?)), 255.0),
        Component::I16 => (
            f32::from(i16::from_le_bytes(little_endian(bytes)?)),
            32767.0,
        ),
        Component::U16 => (
            f32::from(u16::from_le_bytes(little_endian(bytes)?)),
            65535.0,
        ),
    };
    Ok(if normalized {
        (value / largest).max(-1.0)
    } else {
        value
    })
}

#[inline]
fn unsigned(component: Component, bytes: &[u8]) -> Result<u32, String> {
    Ok(match component {
        Component::U8 => u32::from(u8::from_le_bytes(little_endian(bytes)?)),
        Component::U16 => u32::from(u16::from_le_bytes(little_endian(bytes)?)),
        Component::U32 => u32::from_le_bytes(little_endian(bytes)?),
        _ => return Err("holds no unsigned integers".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(json: &str, buffer: Vec<u8>) -> Document {
        Document {
            root: serde_json::from_str(json).unwrap(),
            buffers: vec![buffer],
        }
    }

    #[test]
    fn normalised_integers_follow_the_specification() {
        let document = document(
            r#"{"bufferViews": [{"buffer": 0, "byteLength": 8, "byteStride": 4}],
                "accessors": [{"bufferView": 0, "componentType": 5120, "normalized": true,
                               "count": 2, "type": "VEC3"},
                              {"bufferView": 0, "componentType": 5121, "count": 2, "type": "VEC3"}]}"#,
            vec![0x7f, 0x80, 0x81, 0, 1, 0, 0, 0],
        );
        assert_eq!(
            floats::<3>(&document, 0, "NORMAL").unwrap(),
            [[1.0, -1.0, -1.0], [1.0 / 127.0, 0.0, 0.0]]
        );
        assert_eq!(
            floats::<3>(&document, 1, "POSITION").unwrap()[0],
            [127.0, 128.0, 129.0]
        );
    }

    #[test]
    fn sparse_values_replace_zeros() {
        let mut buffer = vec![2, 0];
        buffer.extend(5.0f32.to_le_bytes());
        let json = r#"{"bufferViews": [{"buffer": 0, "byteLength": 2},
                                       {"buffer": 0, "byteOffset": 2, "byteLength": 4}],
            "accessors": [{"componentType": 5126, "count": 3, "type": "SCALAR",
              "sparse": {"count": 1, "indices": {"bufferView": 0, "componentType": 5123},
                         "values": {"bufferView": 1}}}]}"#;
        let read = floats::<1>(&document(json, buffer.clone()), 0, "x").unwrap();
        assert_eq!(read, [[0.0], [0.0], [5.0]]);
        buffer[0] = 3;
        assert!(floats::<1>(&document(json, buffer), 0, "x").is_err());
    }

    #[test]
    fn ranges_beyond_the_buffer_are_errors() {
        for (count, offset, stride) in [(3, 0, 4), (2, 8, 4), (2, 0, u64::MAX), (1_u64 << 60, 0, 4)]
        {
            let json = format!(
                r#"{{"bufferViews": [{{"buffer": 0, "byteLength": 8, "byteStride": {stride}}}],
                    "accessors": [{{"bufferView": 0, "byteOffset": {offset}, "componentType": 5125,
                                    "count": {count}, "type": "SCALAR"}}]}}"#
            );
            assert!(
                integers::<1>(&document(&json, vec![0; 8]), 0, "indices").is_err(),
                "count {count} offset {offset} stride {stride} was read"
            );
        }
    }
}
