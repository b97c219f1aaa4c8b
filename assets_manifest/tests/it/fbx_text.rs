//! FBX text files made by hand.

/// An FBX text file in centimetres with Y up.
pub(crate) fn fbx(objects: &str, connections: &[(u32, u32)]) -> String {
    let links: Vec<String> = connections
        .iter()
        .map(|(child, parent)| format!("C: \"OO\",{child},{parent}"))
        .collect();
    let links = links.join("\n");
    format!(
        r#"; FBX 7.4.0 project file
FBXHeaderExtension:  {{
    FBXHeaderVersion: 1003
    FBXVersion: 7400
}}
GlobalSettings:  {{
    Version: 1000
    Properties70:  {{
        P: "UpAxis", "int", "Integer", "",1
        P: "UpAxisSign", "int", "Integer", "",1
        P: "FrontAxis", "int", "Integer", "",2
        P: "FrontAxisSign", "int", "Integer", "",1
        P: "CoordAxis", "int", "Integer", "",0
        P: "CoordAxisSign", "int", "Integer", "",1
        P: "UnitScaleFactor", "double", "Number", "",1
    }}
}}
Objects:  {{
{objects}
}}
Connections:  {{
{links}
}}
"#
    )
}

/// A node of an FBX text file; `inherit`: 1 as usual, 2 without the parent's scale.
pub(crate) fn fbx_node(
    id: u32,
    name: &str,
    kind: &str,
    inherit: u32,
    y: f32,
    scale: [f32; 3],
) -> String {
    let [sx, sy, sz] = scale;
    let attribute = if kind == "LimbNode" {
        format!(
            "NodeAttribute: {}, \"NodeAttribute::\", \"LimbNode\" {{\nTypeFlags: \"Skeleton\"\n}}\n",
            id + 100
        )
    } else {
        String::new()
    };
    format!(
        r#"{attribute}Model: {id}, "Model::{name}", "{kind}" {{
    Version: 232
    Properties70:  {{
        P: "InheritType", "enum", "", "",{inherit}
        P: "Lcl Translation", "Lcl Translation", "", "A",0,{y},0
        P: "Lcl Scaling", "Lcl Scaling", "", "A",{sx},{sy},{sz}
    }}
}}
"#
    )
}
