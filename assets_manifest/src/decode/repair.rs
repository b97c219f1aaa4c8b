//! The last look at a mesh before it is handed out: refuse what cannot be used, mend what can.

use std::path::Path;

use glam::{Vec2, Vec3};

use crate::{AssetError, Mesh, Warnings};

/// Extent beyond which the unit is probably wrong, metres.
const SUSPICIOUS_EXTENT: f32 = 10_000.0;

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
/// the side that the winding says, and there the normal looks away. It is turned around.
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
    let (mut broken, mut against) = (0usize, 0usize);
    for (normal, sum) in mesh.normals.iter_mut().zip(&sums) {
        if let Some(unit) = normal.try_normalize() {
            let is_against = unit.as_dvec3().dot(*sum) < 0.0;
            against += usize::from(is_against);
            *normal = if is_against { -unit } else { unit };
        } else {
            broken += 1;
            *normal = sum.try_normalize().unwrap_or(glam::DVec3::Z).as_vec3();
        }
    }
    for (count, what) in [
        (broken, "are zero or not finite; recomputed"),
        (against, "point away from their faces; turned around"),
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
        mesh.normals = vec![towards, -towards, Vec3::X];
        let mut warnings = Warnings::default();
        finish_mesh(&mut mesh, Path::new("x.obj"), &mut warnings).unwrap();
        assert_eq!(mesh.normals, [towards, towards, Vec3::X]);
        assert!(warnings.0[0].contains("1 of 3 normals"), "{warnings:?}");
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
