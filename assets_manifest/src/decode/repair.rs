//! The last look at a mesh before it is handed out: refuse what cannot be used, mend what can.

use std::collections::HashMap;
use std::path::Path;

use glam::{Vec2, Vec3};

use crate::{AssetError, Mesh, Warnings};

/// Extent beyond which the unit is probably wrong, metres.
const SUSPICIOUS_EXTENT: f32 = 10_000.0;

/// Share of normals on the wrong side of their faces above which none of the mesh is trusted.
const UNTRUSTED_SHARE: f32 = 0.05;
/// Faces whose normals make a smaller cosine make an edge.
const SMOOTH_COSINE: f64 = 0.5;

/// Checks the invariants of [`Mesh`], mends normals and UVs, and refuses meshes without any area.
pub(crate) fn finish_mesh(
    mesh: &mut Mesh,
    path: &Path,
    warnings: &mut Warnings,
) -> Result<(), AssetError> {
    let unusable = |reason: String| AssetError::Unusable {
        path: path.to_owned(),
        reason,
    };
    mesh.validate().map_err(unusable)?;
    if !mesh
        .triangles
        .iter()
        .any(|corners| area(mesh, *corners) > 0.0)
    {
        return Err(unusable("none of its triangles has an area".into()));
    }
    let (low, high) = mesh.bounds().unwrap_or_default();
    let extent = (high - low).max_element();
    if !extent.is_finite() {
        return Err(unusable("its extent is too large for a number".into()));
    }
    if extent > SUSPICIOUS_EXTENT {
        warnings.push(format!(
            "{} is {extent} m large: is its unit right?",
            path.display()
        ));
    }
    mend_normals(mesh, path, warnings);
    mend_uvs(mesh, path, warnings);
    let whole =
        |tangent: &glam::Vec4| tangent.is_finite() && tangent.truncate().length_squared() > 0.25;
    if !mesh.tangents.iter().all(whole) {
        // The renderer derives them from the UVs.
        mesh.tangents.clear();
    }
    for color in &mut mesh.colors {
        if !color.is_finite() {
            *color = glam::Vec4::ONE;
        }
    }
    Ok(())
}

fn corner_positions(mesh: &Mesh, corners: [u32; 3]) -> [Vec3; 3] {
    corners.map(|corner| mesh.positions[corner as usize])
}

/// Twice the area, in f64: huge and tiny coordinates must neither overflow nor vanish.
fn area(mesh: &Mesh, corners: [u32; 3]) -> f64 {
    let [a, b, c] = corner_positions(mesh, corners).map(Vec3::as_dvec3);
    (b - a).cross(c - a).length_squared()
}

/// Unit normals stay where their faces are; others become the area-weighted mean of the vertex's faces.
///
/// A normal on the far side of its faces would turn the surface black from both sides: shading looks at
/// the side that the winding says, and there the normal looks away. It is turned around. Where many are
/// such, the others are no better (limbs that were mirrored without their normals): all are made anew.
fn mend_normals(mesh: &mut Mesh, path: &Path, warnings: &mut Warnings) {
    if mesh.normals.is_empty() {
        return;
    }
    let mut sums = vec![glam::DVec3::ZERO; mesh.positions.len()];
    for corners in &mesh.triangles {
        let [a, b, c] = corner_positions(mesh, *corners).map(Vec3::as_dvec3);
        let weighted = (b - a).cross(c - a);
        for corner in corners {
            sums[*corner as usize] += weighted;
        }
    }
    let is_against = |(normal, sum): (&Vec3, &glam::DVec3)| normal.as_dvec3().dot(*sum) < 0.0;
    let against = mesh
        .normals
        .iter()
        .zip(&sums)
        .filter(|pair| is_against(*pair));
    let against = against.count();
    let all_anew = against as f32 > UNTRUSTED_SHARE * mesh.normals.len() as f32;
    if all_anew {
        mesh.normals = normals_of_faces(mesh, &sums);
    }
    let mut broken = 0usize;
    for (normal, sum) in mesh.normals.iter_mut().zip(&sums) {
        if let Some(unit) = normal.try_normalize() {
            *normal = if is_against((&unit, sum)) {
                -unit
            } else {
                unit
            };
        } else {
            broken += 1;
            *normal = sum.try_normalize().unwrap_or(glam::DVec3::Z).as_vec3();
        }
    }
    for (count, what) in [
        (broken, "are zero or not finite; recomputed"),
        (
            against,
            if all_anew {
                "point away from their faces; all are made anew"
            } else {
                "point away from their faces; turned around"
            },
        ),
    ] {
        if count > 0 {
            warnings.push(format!(
                "{}: {count} of {} normals {what}",
                path.display(),
                mesh.normals.len()
            ));
        }
    }
}

/// Mean normals of the faces that meet where a vertex is, but for those that make an edge with the vertex's
/// own faces, whose sums are `sums`.
fn normals_of_faces(mesh: &Mesh, sums: &[glam::DVec3]) -> Vec<Vec3> {
    // Looked up only, never iterated.
    let mut faces_at: HashMap<[u32; 3], Vec<glam::DVec3>> = HashMap::new();
    let place = |vertex: u32| mesh.positions[vertex as usize].to_array().map(f32::to_bits);
    for corners in &mesh.triangles {
        let [a, b, c] = corner_positions(mesh, *corners).map(Vec3::as_dvec3);
        let weighted = (b - a).cross(c - a);
        for corner in corners {
            faces_at.entry(place(*corner)).or_default().push(weighted);
        }
    }
    let mean = |(vertex, own): (usize, &glam::DVec3)| {
        let own = own.try_normalize()?;
        let faces = faces_at.get(&place(vertex as u32))?.iter();
        let smooth = faces.filter(|face| face.dot(own) > SMOOTH_COSINE * face.length());
        Some(smooth.sum::<glam::DVec3>().normalize_or(own).as_vec3())
    };
    let all = sums.iter().enumerate();
    all.map(|of| mean(of).unwrap_or_default()).collect()
}

fn mend_uvs(mesh: &mut Mesh, path: &Path, warnings: &mut Warnings) {
    let mut broken = 0usize;
    for uv in mesh.uvs.iter_mut().chain(&mut mesh.uvs1) {
        if !uv.is_finite() {
            *uv = Vec2::ZERO;
            broken += 1;
        }
    }
    if broken > 0 {
        warnings.push(format!(
            "{}: {broken} texture coordinates are not finite; set to 0",
            path.display()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triangle() -> Mesh {
        Mesh {
            positions: vec![Vec3::ZERO, Vec3::X, Vec3::Y],
            triangles: vec![[0, 1, 2]],
            material_of_triangle: vec![0],
            ..Mesh::default()
        }
    }

    #[test]
    fn useless_meshes_are_refused() {
        let path = Path::new("x.obj");
        let refuse = |mesh: &mut Mesh| {
            finish_mesh(mesh, path, &mut Warnings::default())
                .unwrap_err()
                .to_string()
        };
        let mut flat = triangle();
        flat.positions[2] = Vec3::X * 2.0;
        assert!(refuse(&mut flat).contains("area"));
        let mut nan = triangle();
        nan.positions[1].y = f32::NAN;
        assert!(refuse(&mut nan).contains("vertex 1"));
        let mut far = triangle();
        far.positions[1].x = f32::MAX;
        far.positions[2].x = f32::MIN;
        assert!(refuse(&mut far).contains("too large"));
    }

    #[test]
    fn normals_are_on_the_side_of_their_faces() {
        let mut mesh = triangle();
        let towards = Vec3::new(0.6, 0.0, 0.8);
        let copies = 10u32;
        mesh.positions = mesh.positions.repeat(copies as usize);
        mesh.triangles = (0..copies).map(|i| [3 * i, 3 * i + 1, 3 * i + 2]).collect();
        mesh.material_of_triangle = vec![0; copies as usize];
        mesh.normals = vec![towards; 3 * copies as usize];
        let finish = |mesh: &Mesh, wrong: usize| {
            let mut mesh = mesh.clone();
            for normal in &mut mesh.normals[..wrong] {
                *normal = -towards;
            }
            let mut warnings = Warnings::default();
            finish_mesh(&mut mesh, Path::new("x.obj"), &mut warnings).unwrap();
            let said = format!("{wrong} of 30 normals");
            assert!(warnings.0[0].contains(&said), "{warnings:?}");
            mesh.normals
        };
        assert_eq!(finish(&mesh, 1), mesh.normals);
        // Too many to believe the others.
        assert_eq!(finish(&mesh, 3), vec![Vec3::Z; 30]);
    }

    #[test]
    fn broken_normals_are_recomputed_from_faces() {
        let mut mesh = triangle();
        mesh.normals = vec![Vec3::ZERO, Vec3::splat(f32::NAN), Vec3::Y * 3.0];
        mesh.uvs = vec![Vec2::NAN, Vec2::ONE, Vec2::ONE];
        let mut warnings = Warnings::default();
        finish_mesh(&mut mesh, Path::new("x.obj"), &mut warnings).unwrap();
        assert_eq!(mesh.normals, [Vec3::Z, Vec3::Z, Vec3::Y]);
        assert_eq!(mesh.uvs[0], Vec2::ZERO);
        assert_eq!(warnings.0.len(), 2);
    }
}
