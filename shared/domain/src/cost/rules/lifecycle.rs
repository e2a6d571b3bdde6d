//! How a rule is added to the lifecycle of a bucket: a configuration that is put replaces all that are there.

/// The commands that add this rule, as JSON, to a bucket that has so many.
pub(super) fn add(bucket: &str, rules: u32, rule: &str) -> String {
    let put = format!("aws s3api put-bucket-lifecycle-configuration --bucket {bucket} --lifecycle-configuration");
    if rules == 0 {
        return format!("{put} '{{\"Rules\":[{rule}]}}'");
    }
    format!(
        "The bucket has {rules} rule(s), which a new configuration would replace: add this one to them.\n\
         aws s3api get-bucket-lifecycle-configuration --bucket {bucket} > lifecycle.json\n\
         # into \"Rules\": {rule}\n{put} file://lifecycle.json"
    )
}
