// Front Door: the public side. Standard reaches the gateway over its public ingress, Premium over Private Link.
param name string
@allowed(['Standard', 'Premium'])
param tier string
param originHostName string
@description('Resource id of the Container Apps environment, and its region: for Private Link.')
param environmentId string
param location string
param workspaceId string
@description('Requests per minute of one address at one edge before the firewall blocks it.')
@minValue(100)
param requestsPerMinutePerAddress int

var premium = tier == 'Premium'

resource profile 'Microsoft.Cdn/profiles@2024-02-01' = {
  name: '${name}-frontdoor'
  location: 'global'
  sku: { name: '${tier}_AzureFrontDoor' }
  // For each piece of an answer, not for all of it: 240 s is the most there is. The gateway's heartbeats are far below it.
  properties: { originResponseTimeoutSeconds: 240 }
}

resource endpoint 'Microsoft.Cdn/profiles/afdEndpoints@2024-02-01' = {
  parent: profile
  name: name
  location: 'global'
  properties: { enabledState: 'Enabled' }
}

resource group 'Microsoft.Cdn/profiles/originGroups@2024-02-01' = {
  parent: profile
  name: 'gateway'
  properties: {
    sessionAffinityState: 'Disabled'
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3, additionalLatencyInMilliseconds: 50 }
    // Not the platform's readiness: Front Door sees a region, and a draining replica must not look like a broken region.
    healthProbeSettings: {
      probePath: '/health/front-door'
      probeRequestType: 'HEAD'
      probeProtocol: 'Https'
      probeIntervalInSeconds: 30
    }
  }
}

resource origin 'Microsoft.Cdn/profiles/originGroups/origins@2024-02-01' = {
  parent: group
  name: location
  properties: {
    hostName: originHostName
    originHostHeader: originHostName
    httpsPort: 443
    priority: 1
    weight: 1000
    enabledState: 'Enabled'
    enforceCertificateNameCheck: true
    sharedPrivateLinkResource: premium
      ? {
          privateLink: { id: environmentId }
          privateLinkLocation: location
          groupId: 'managedEnvironments'
          requestMessage: 'Front Door to the gateway'
        }
      : null
  }
}

resource rules 'Microsoft.Cdn/profiles/ruleSets@2024-02-01' = {
  parent: profile
  name: 'gateway'
}

// What Front Door answers itself must not be stored on the way either.
resource headers 'Microsoft.Cdn/profiles/ruleSets/rules@2024-02-01' = {
  parent: rules
  name: 'security'
  properties: {
    order: 1
    conditions: []
    actions: [
      {
        name: 'ModifyResponseHeader'
        parameters: {
          typeName: 'DeliveryRuleHeaderActionParameters'
          headerAction: 'Overwrite'
          headerName: 'Strict-Transport-Security'
          value: 'max-age=31536000; includeSubDomains'
        }
      }
    ]
  }
}

resource route 'Microsoft.Cdn/profiles/afdEndpoints/routes@2024-02-01' = {
  parent: endpoint
  name: 'gateway'
  properties: {
    originGroup: { id: group.id }
    ruleSets: [{ id: rules.id }]
    patternsToMatch: ['/openai/*']
    supportedProtocols: ['Https']
    httpsRedirect: 'Disabled' // a key that was sent in the clear is not to be told "try again"
    forwardingProtocol: 'HttpsOnly'
    linkToDefaultDomain: 'Enabled'
    enabledState: 'Enabled'
    // No `cacheConfiguration`: it is what turns caching on, and compression is a part of it.
  }
  dependsOn: [origin, headers]
}

resource firewall 'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies@2024-02-01' = {
  name: '${replace(name, '-', '')}waf'
  location: 'global'
  sku: { name: '${tier}_AzureFrontDoor' }
  properties: {
    policySettings: { enabledState: 'Enabled', mode: 'Prevention', requestBodyCheck: premium ? 'Enabled' : 'Disabled' }
    customRules: {
      rules: [
        {
          name: 'RatePerAddress'
          priority: 100
          ruleType: 'RateLimitRule'
          action: 'Block'
          enabledState: 'Enabled'
          rateLimitDurationInMinutes: 1
          rateLimitThreshold: requestsPerMinutePerAddress
          matchConditions: [
            { matchVariable: 'SocketAddr', operator: 'IPMatch', matchValue: ['0.0.0.0/0', '::/0'], negateCondition: false }
          ]
        }
      ]
    }
    // Managed rules come with Premium. A prompt is text that talks about SQL, shells and scripts: rules that look for attacks in
    // arguments would block honest requests, so JSON arguments are not looked at. Headers, paths and bots still are.
    managedRules: {
      managedRuleSets: premium
        ? [
            {
              ruleSetType: 'Microsoft_DefaultRuleSet'
              ruleSetVersion: '2.1'
              ruleSetAction: 'Block'
              exclusions: [
                { matchVariable: 'RequestBodyJsonArgNames', selectorMatchOperator: 'EqualsAny', selector: '*' }
                { matchVariable: 'RequestBodyPostArgNames', selectorMatchOperator: 'EqualsAny', selector: '*' }
                { matchVariable: 'RequestHeaderNames', selectorMatchOperator: 'Equals', selector: 'api-key' }
                { matchVariable: 'RequestHeaderNames', selectorMatchOperator: 'Equals', selector: 'authorization' }
              ]
            }
            { ruleSetType: 'Microsoft_BotManagerRuleSet', ruleSetVersion: '1.1' }
          ]
        : []
    }
  }
}

resource guard 'Microsoft.Cdn/profiles/securityPolicies@2024-02-01' = {
  parent: profile
  name: 'firewall'
  properties: {
    parameters: {
      type: 'WebApplicationFirewall'
      wafPolicy: { id: firewall.id }
      associations: [{ domains: [{ id: endpoint.id }], patternsToMatch: ['/*'] }]
    }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: profile
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'FrontDoorAccessLog', enabled: true }
      { category: 'FrontDoorHealthProbeLog', enabled: true }
      { category: 'FrontDoorWebApplicationFirewallLog', enabled: true }
    ]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output hostName string = endpoint.properties.hostName
output frontDoorId string = profile.properties.frontDoorId
