//! The template as the other contracts look at it: functions with their environment and permissions.

use crate::{repository, yaml};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A template of CloudFormation.
pub struct Template {
    root: Value,
}

/// A Lambda function.
#[derive(Debug)]
pub struct Function {
    /// Logical id.
    pub logical: String,
    /// The binary that it runs.
    pub binary: String,
    /// Its time-out in seconds.
    pub timeout_s: u64,
    /// Environment, those of `Globals` included.
    pub environment: BTreeMap<String, String>,
    /// What its role allows.
    pub statements: Vec<Statement>,
}

/// One statement that allows something.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Its name.
    pub sid: String,
    /// Actions.
    pub actions: BTreeSet<String>,
    /// Resources, references written as in `Fn::Sub`.
    pub resources: Vec<String>,
    /// The condition, at the defaults of the parameters.
    pub condition: Option<Value>,
}

impl Template {
    /// Reads that of the maintainer.
    pub fn load() -> Self {
        Self::of("infra/template.yaml")
    }

    /// Reads any.
    pub fn of(path: &str) -> Self {
        Self { root: yaml::parse(&repository::text(path)) }
    }

    /// A part of it, by JSON pointer.
    pub fn at(&self, pointer: &str) -> &Value {
        self.root.pointer(pointer).unwrap_or_else(|| panic!("the template has no {pointer}"))
    }

    /// The names under a part, sorted.
    pub fn keys(&self, pointer: &str) -> BTreeSet<String> {
        self.at(pointer).as_object().unwrap().keys().cloned().collect()
    }

    /// Resources of a type, with their properties.
    pub fn of_type(&self, kind: &str) -> Vec<(&str, &Value)> {
        let resources = self.at("/Resources").as_object().unwrap();
        let of_type = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        of_type.map(|(name, resource)| (name.as_str(), &resource["Properties"])).collect()
    }

    /// All functions.
    pub fn functions(&self) -> Vec<Function> {
        let kind = "AWS::Serverless::Function";
        self.of_type(kind).into_iter().map(|(logical, properties)| self.function(logical, properties)).collect()
    }

    fn function(&self, logical: &str, properties: &Value) -> Function {
        let globals = self.at("/Globals/Function");
        let code = properties["CodeUri"].as_str().unwrap();
        let binary = code.strip_prefix("../target/lambda/").and_then(|name| name.strip_suffix(".zip"));
        let mut environment = variables(globals);
        environment.extend(variables(properties));
        Function {
            logical: logical.to_owned(),
            binary: binary.unwrap_or_else(|| panic!("{logical} runs {code}, which is no binary of ours")).to_owned(),
            timeout_s: properties.get("Timeout").unwrap_or(&globals["Timeout"]).as_u64().unwrap(),
            environment,
            statements: match properties.pointer("/Role/Fn::GetAtt").and_then(Value::as_str) {
                Some(role) => self.role(role.trim_end_matches(".Arn")),
                None => self.policies(&properties["Policies"]),
            },
        }
    }

    /// Statements of a role of this template: written there, or of a managed policy of this template.
    pub fn role(&self, role: &str) -> Vec<Statement> {
        let properties = self.at(&format!("/Resources/{role}/Properties"));
        let policies = properties["Policies"].as_array().unwrap();
        let written = policies.iter().map(|policy| &policy["PolicyDocument"]);
        let attached = properties.get("ManagedPolicyArns").and_then(Value::as_array).into_iter().flatten();
        // What is no reference is a policy of AWS, or is not there at the defaults of the parameters.
        let managed = attached.filter_map(|policy| policy.get("Ref").and_then(Value::as_str));
        let managed = managed.map(|name| self.at(&format!("/Resources/{name}/Properties/PolicyDocument")));
        let statements = written.chain(managed).flat_map(|document| document["Statement"].as_array().unwrap());
        statements.map(|statement| self.statement(statement)).collect()
    }

    /// Statements of a list of policies: written there, or of a managed policy of this template.
    pub fn policies(&self, policies: &Value) -> Vec<Statement> {
        let mut statements = Vec::new();
        for policy in policies.as_array().unwrap() {
            let document = match policy.get("Ref").and_then(Value::as_str) {
                Some(managed) => self.at(&format!("/Resources/{managed}/Properties/PolicyDocument")),
                None => policy,
            };
            let list = document["Statement"].as_array().unwrap_or_else(|| panic!("no statements in {policy}"));
            statements.extend(list.iter().map(|statement| self.statement(statement)));
        }
        statements
    }

    fn statement(&self, statement: &Value) -> Statement {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        Statement {
            sid: statement["Sid"].as_str().unwrap_or_else(|| panic!("{statement} has no name")).to_owned(),
            actions: list(&statement["Action"]).map(|action| action.as_str().unwrap().to_owned()).collect(),
            resources: list(&statement["Resource"]).map(reference).collect(),
            condition: statement.get("Condition").and_then(|condition| self.chosen(condition)).cloned(),
        }
    }

    /// What an `Fn::If` stands for at the defaults of the parameters.
    fn chosen<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        let Some(choice) = value.get("Fn::If") else { return Some(value) };
        let condition = self.at(&format!("/Conditions/{}", choice[0].as_str().unwrap()));
        let sides = &condition["Fn::Equals"];
        let parameter = sides[0]["Ref"].as_str().unwrap_or_else(|| panic!("{condition} is not parameter = word"));
        let default = &self.at(&format!("/Parameters/{parameter}"))["Default"];
        let chosen = if *default == sides[1] { &choice[1] } else { &choice[2] };
        (chosen["Ref"] != "AWS::NoValue").then_some(chosen)
    }
}

/// A value or a list of them.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice).iter()
}

/// A reference as `Fn::Sub` writes it: `${Table}`, `${Table.Arn}`; a text as it is.
pub fn reference(value: &Value) -> String {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    match (value.as_str(), text("Ref"), text("Fn::GetAtt"), text("Fn::Sub")) {
        (Some(plain), ..) => plain.to_owned(),
        (_, Some(name), ..) | (_, _, Some(name), _) => format!("${{{name}}}"),
        (.., Some(template)) => template.to_owned(),
        _ => panic!("{value} is neither a text nor a reference"),
    }
}

fn variables(function: &Value) -> BTreeMap<String, String> {
    let variables = function.pointer("/Environment/Variables").and_then(Value::as_object);
    variables.into_iter().flatten().map(|(name, value)| (name.clone(), reference(value))).collect()
}

/// Every parameter and condition decides something.
pub fn assert_all_used(path: &str) {
    let text = repository::text(path);
    let body = text.split("\nConditions:").nth(1).unwrap();
    let template = Template::of(path);
    for name in template.keys("/Parameters").into_iter().chain(template.keys("/Conditions")) {
        let uses = [format!("!Ref {name}"), format!("${{{name}}}"), format!("[{name},"), format!("- {name}\n")];
        let used = uses.iter().any(|used| body.contains(used)) || body.contains(&format!("Condition: {name}"));
        assert!(used, "{name} decides nothing");
    }
}

#[test]
fn every_parameter_condition_and_log_group_is_used() {
    let path = "infra/template.yaml";
    assert_all_used(path);
    let (template, body) = (Template::of(path), repository::text(path));
    for (name, _) in template.of_type("AWS::Logs::LogGroup") {
        assert!(
            body.contains(&format!("!Ref {name}")) || body.contains(&format!("!GetAtt {name}.")),
            "{name} gets no lines"
        );
    }
}

#[test]
fn a_function_is_named_after_its_binary_and_keeps_its_log_as_long_as_the_user_says() {
    let template = Template::load();
    for function in template.functions() {
        let properties = template.at(&format!("/Resources/{}/Properties", function.logical));
        assert_eq!(reference(&properties["FunctionName"]), format!("${{AWS::StackName}}-{}", function.binary));
        let group = properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        let log = template.at(&format!("/Resources/{group}/Properties"));
        assert_eq!(reference(&log["LogGroupName"]), format!("/aws/lambda/${{AWS::StackName}}-{}", function.binary));
        assert_eq!(reference(&log["RetentionInDays"]), "${LogRetentionDays}");
    }
}
