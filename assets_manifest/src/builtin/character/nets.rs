//! Surface nets: a closed quad mesh of the zero set of a function, as triangles.

use glam::{UVec3, Vec3};
use rayon::prelude::*;

/// Planes of a grid whose spacing may differ along each axis.
pub(super) struct Grid {
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
    pub(super) z: Vec<f32>,
}

/// Positions and triangles, counter-clockwise from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct Net {
    pub(super) positions: Vec<Vec3>,
    pub(super) triangles: Vec<[u32; 3]>,
}

/// Cells along the side of a block that is skipped as a whole when its middle is far from the surface.
const BLOCK: usize = 6;
/// No vertex in this cell.
const NONE: u32 = u32::MAX;

impl Grid {
    fn size(&self) -> [usize; 3] {
        [self.x.len(), self.y.len(), self.z.len()]
    }

    fn point(&self, i: usize, j: usize, k: usize) -> Vec3 {
        Vec3::new(self.x[i], self.y[j], self.z[k])
    }

    /// `f` at all grid points. Where the middle of a block is farther from the surface than
    /// `steepness` half diagonals (the function may overstate distances), the value there stands for the
    /// block.
    fn values(&self, f: impl Fn(Vec3) -> f32 + Sync) -> Vec<f32> {
        const STEEPNESS: f32 = 2.0;
        let [nx, ny, nz] = self.size();
        let layers: Vec<usize> = (0..nz).step_by(BLOCK).collect();
        let slabs: Vec<Vec<f32>> = layers
            .par_iter()
            .map(|&k0| {
                let k1 = (k0 + BLOCK).min(nz);
                let mut slab = vec![0.0; nx * ny * (k1 - k0)];
                for j0 in (0..ny).step_by(BLOCK) {
                    for i0 in (0..nx).step_by(BLOCK) {
                        let (i1, j1) = ((i0 + BLOCK).min(nx), (j0 + BLOCK).min(ny));
                        let low = self.point(i0, j0, k0);
                        let high = self.point(i1 - 1, j1 - 1, k1 - 1);
                        let far = f((low + high) * 0.5);
                        let near = far.abs() < STEEPNESS * 0.5 * low.distance(high) + 0.01;
                        for k in k0..k1 {
                            for j in j0..j1 {
                                for i in i0..i1 {
                                    slab[((k - k0) * ny + j) * nx + i] =
                                        if near { f(self.point(i, j, k)) } else { far };
                                }
                            }
                        }
                    }
                }
                slab
            })
            .collect();
        slabs.concat()
    }

    /// The zero set of `f`, which is negative inside and positive on the border of the grid.
    pub(super) fn net(&self, f: impl Fn(Vec3) -> f32 + Sync) -> Net {
        let [nx, ny, nz] = self.size();
        let values = self.values(f);
        let index = |c: UVec3| (c.z as usize * ny + c.y as usize) * nx + c.x as usize;
        let mut net = Net::default();
        let mut vertex_of_cell = vec![NONE; values.len()];
        for k in 0..nz - 1 {
            for j in 0..ny - 1 {
                for i in 0..nx - 1 {
                    let cell = UVec3::new(i as u32, j as u32, k as u32);
                    let (mut sum, mut count) = (Vec3::ZERO, 0.0);
                    for edge in EDGES {
                        let (a, b) = (cell + corner(edge.0), cell + corner(edge.1));
                        let (fa, fb) = (values[index(a)], values[index(b)]);
                        if (fa < 0.0) != (fb < 0.0) {
                            let t = fa / (fa - fb);
                            let [pa, pb] = [a, b]
                                .map(|c| self.point(c.x as usize, c.y as usize, c.z as usize));
                            sum += pa.lerp(pb, t);
                            count += 1.0;
                        }
                    }
                    if count > 0.0 {
                        vertex_of_cell[index(cell)] = net.positions.len() as u32;
                        net.positions.push(sum / count);
                    }
                }
            }
        }
        // One quad around every grid edge that crosses the surface.
        for k in 1..nz - 1 {
            for j in 1..ny - 1 {
                for i in 1..nx - 1 {
                    let at = UVec3::new(i as u32, j as u32, k as u32);
                    let here = values[index(at)] < 0.0;
                    for axis in 0..3 {
                        let mut next = at;
                        next[axis] += 1;
                        let there = values[index(next)] < 0.0;
                        if here == there {
                            continue;
                        }
                        let (mut u, mut v) = (UVec3::ZERO, UVec3::ZERO);
                        u[(axis + 1) % 3] = 1;
                        v[(axis + 2) % 3] = 1;
                        let [a, b, c, d] =
                            [at - u - v, at - v, at, at - u].map(|c| vertex_of_cell[index(c)]);
                        let quad = if here { [a, b, c, d] } else { [a, d, c, b] };
                        net.quad(quad);
                    }
                }
            }
        }
        net
    }
}

/// The twelve edges of a cell by the numbers of their corners (bit per axis).
const EDGES: [(u32, u32); 12] = [
    (0, 1),
    (2, 3),
    (4, 5),
    (6, 7),
    (0, 2),
    (1, 3),
    (4, 6),
    (5, 7),
    (0, 4),
    (1, 5),
    (2, 6),
    (3, 7),
];

fn corner(number: u32) -> UVec3 {
    UVec3::new(number & 1, (number >> 1) & 1, number >> 2)
}

impl Net {
    /// Two triangles, along the shorter diagonal.
    fn quad(&mut self, [a, b, c, d]: [u32; 4]) {
        let p = |v: u32| self.positions[v as usize];
        if p(a).distance_squared(p(c)) <= p(b).distance_squared(p(d)) {
            self.triangles.extend([[a, b, c], [a, c, d]]);
        } else {
            self.triangles.extend([[a, b, d], [b, c, d]]);
        }
    }

    /// Whether every edge is used once in each direction.
    pub(super) fn is_manifold(&self) -> bool {
        let mut edges: Vec<[u32; 2]> = self
            .triangles
            .iter()
            .flat_map(|&[a, b, c]| [[a, b], [b, c], [c, a]])
            .collect();
        edges.sort_unstable();
        let unique = edges.windows(2).all(|pair| pair[0] != pair[1]);
        unique
            && edges
                .iter()
                .all(|&[a, b]| edges.binary_search(&[b, a]).is_ok())
    }
}
