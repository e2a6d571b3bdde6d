//! What the figures need of `infra/template.yaml`: the functions with their memory and variables, and the alarms.
//!
//! Read by its indentation, which the repository's own tests keep.

use crate::report::Failure;
use std::path::Path;

/// A function of the template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Name of the resource.
    pub id: String,
    /// Name of the binary.
    pub binary: String,
    /// Memory in MB.
    pub memory_mb: u32,
    /// Names of its environment variables.
    pub variables: Vec<String>,
}

/// The template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Functions, in their order.
    pub functions: Vec<Function>,
    /// Number of alarms.
    pub alarms: usize,
    /// Number of dashboards.
    pub dashboards: usize,
    /// Number of secrets.
    pub secrets: usize,
}

impl Template {
    /// The template of this checkout.
    ///
    /// # Errors
    /// When it is not there.
    pub fn load(root: &Path) -> Result<Self, Failure> {
        let path = root.join("infra/template.yaml");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let memory = |line: &str, indent: &str| line.strip_prefix(indent)?.strip_prefix("MemorySize: ")?.parse().ok();
        let usual_mb = text.lines().find_map(|line| memory(line, "    ")).unwrap_or(128);
        let mut template = Self::default();
        let mut id = "";
        for line in text.lines() {
            let depth = line.len() - line.trim_start().len();
            let line_value = line.trim_start();
            if depth == 2 && line_value.ends_with(':') {
                id = line_value.trim_end_matches(':');
            }
            match (depth, line_value) {
                (4, "Type: AWS::CloudWatch::Alarm") => template.alarms += 1,
                (4, "Type: AWS::CloudWatch::Dashboard") => template.dashboards += 1,
                (4, "Type: AWS::SecretsManager::Secret") => template.secrets += 1,
                (4, "Type: AWS::Serverless::Function") => {
                    let function = Function { id: id.to_owned(), memory_mb: usual_mb, ..Function::default() };
                    template.functions.push(function);
                }
                _ => {}
            }
            let Some(function) = template.functions.last_mut().filter(|function| function.id == id) else { continue };
            if let Some(path) = line.strip_prefix("      CodeUri: ../target/lambda/") {
                function.binary = path.trim_end_matches(".zip").to_owned();
            } else if let Some(memory_mb) = memory(line, "      ") {
                function.memory_mb = memory_mb;
            } else if let (10, Some((name, _))) = (depth, line_value.split_once(':'))
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            {
                function.variables.push(name.to_owned());
            }
        }
        template
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_functions_with_memory_and_variables_and_counts_alarms() {
        let text = "Globals:\n  Function:\n    MemorySize: 256\nResources:\n  A:\n    Type: AWS::Serverless::Function\n    \
                    Properties:\n      CodeUri: ../target/lambda/a-b.zip\n      Environment:\n        Variables:\n          \
                    TABLE_X: !Ref X\n  W:\n    Type: AWS::CloudWatch::Alarm\n  B:\n    \
                    Type: AWS::Serverless::Function\n    Properties:\n      MemorySize: 512\n      \
                    CodeUri: ../target/lambda/b.zip\n";
        let template = Template::parse(text);
        assert_eq!(template.alarms, 1);
        let [a, b] = &template.functions[..] else { panic!("{template:?}") };
        assert_eq!((a.binary.as_str(), a.memory_mb, &a.variables[..]), ("a-b", 256, &["TABLE_X".to_owned()][..]));
        assert_eq!((b.id.as_str(), b.binary.as_str(), b.memory_mb), ("B", "b", 512));
    }
}
