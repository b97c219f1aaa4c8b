//! The small tables that shaders look things up in, in one texture. An element has an entry and those that
//! a look-up mixes with it: the next, and both in the next line.

use crate::kernels::camera::{FILTER_TABLE, FilterTable};
use crate::kernels::tables::{COARSE, FINE, Tables};
use crate::scene::texture::{SRGB_ENTRIES, srgb_to_linear};

/// Where each table begins.
pub(super) struct TableLayout {
    pub(super) reflection: usize,
    pub(super) reflection_average: usize,
    pub(super) dielectric_share: usize,
    pub(super) glass_enter: usize,
    pub(super) glass_leave: usize,
    pub(super) glass_enter_average: usize,
    pub(super) glass_leave_average: usize,
    pub(super) sheen: usize,
    pub(super) filter: usize,
    pub(super) srgb: usize,
    length: usize,
}

impl TableLayout {
    pub(super) fn new() -> Self {
        let mut next = 0;
        let mut place = |count: usize| {
            let at = next;
            next += count;
            at
        };
        Self {
            reflection: place(FINE * FINE),
            reflection_average: place(FINE),
            dielectric_share: place(COARSE * COARSE * COARSE),
            glass_enter: place(COARSE * COARSE * COARSE),
            glass_leave: place(COARSE * COARSE * COARSE),
            glass_enter_average: place(COARSE * COARSE),
            glass_leave_average: place(COARSE * COARSE),
            sheen: place(FINE * FINE),
            filter: place(FILTER_TABLE + 1),
            srgb: place(SRGB_ENTRIES),
            length: next,
        }
    }
}

/// The contents, an element for each entry.
pub(super) fn values(albedos: &Tables, filter: &FilterTable) -> Vec<[f32; 4]> {
    let layout = TableLayout::new();
    let mut all = Vec::with_capacity(layout.length);
    let lines = [FINE, 1, COARSE, COARSE, COARSE, COARSE, COARSE, FINE];
    for (table, line) in albedos.all().into_iter().zip(lines) {
        add(&mut all, table, line);
    }
    add(&mut all, filter.inverse(), 1);
    add(&mut all, srgb_to_linear(), 1);
    debug_assert_eq!(all.len(), layout.length);
    all
}

/// A table with lines of `line` entries. Nobody mixes with what is beyond its end.
fn add(all: &mut Vec<[f32; 4]>, table: &[f32], line: usize) {
    let at = |index: usize| table.get(index).copied().unwrap_or(0.0);
    all.extend((0..table.len()).map(|i| [at(i), at(i + 1), at(i + line), at(i + line + 1)]));
}
