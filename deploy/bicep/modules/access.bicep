// What the identity may do at one Azure OpenAI resource: call its models. In the resource group of that resource.
param accountName string
param principalId string

// Cognitive Services OpenAI User: inference, no keys, no deployments.
var user = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd')

resource account 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = {
  name: accountName
}

resource mayCall 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, user)
  scope: account
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: user }
}
